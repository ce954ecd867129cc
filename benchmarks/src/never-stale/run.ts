import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { localHit } from "./local-hit.js";
import { remoteHit } from "./remote-hit.js";
import { roundTrips } from "./round-trips.js";
import { tagOfMany } from "./tag-of-many.js";

/**
 * `run.js [--idle]`: measures the price of leases, tags and the bus. `--idle` says that the machine
 * has nothing else to do. Each row has a process of its own, because V8's optimisations for another
 * row must not count.
 */
const isIdle = process.argv.includes("--idle");

const rows: Record<string, () => Promise<void>> = {
  "local hit, 1,000": () => localHit(1_000),
  "local hit, 100,000": () => localHit(100_000),
  "Redis hit, 1": () => remoteHit(1, isIdle),
  "Redis hit, 100": () => remoteHit(100, isIdle),
  "Redis hit, 1,000": () => remoteHit(1_000, isIdle),
  "round trips": roundTrips,
  "invalidateTags, memory": () => tagOfMany(1_000_000, false),
  "invalidateTags, Redis": () => tagOfMany(100_000, true),
};

const row = rows[process.argv[2] ?? ""];
if (row !== undefined) await row();
else {
  console.log("With leases, tags and a bus, as a ratio to the same without them\n");
  for (const name of Object.keys(rows)) {
    const words = [fileURLToPath(import.meta.url), name, ...(isIdle ? ["--idle"] : [])];
    execFileSync(process.execPath, words, { stdio: "inherit" });
  }
}
