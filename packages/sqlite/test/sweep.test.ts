import { setTimeout as wait } from "node:timers/promises";
import { record } from "@cacheme/test-services/disk/storage-helpers";
import { describe, expect, it } from "vitest";
import type { Session } from "../src/session.js";
import { sweep } from "../src/sweep.js";
import { connected, place, session } from "./place.js";

const keys = Array.from({ length: 1000 }, (_, index) => `${index}`);

/** Sweeps as the storage does, until there is nothing to do: in how many steps. */
function sweepAll(opened: Session): number {
  let steps = 1;
  while (sweep(opened)) steps++;
  return steps;
}

describe("a sweep", () => {
  it("removes what has expired in small steps, and gives the space back", async () => {
    const file = place();
    const storage = await connected(file);
    await storage.writeMany(keys.map((key) => record(key, "x".repeat(5000), 1)));
    await storage.writeMany([record("kept", "kept", 600_000), record("always", "always")]);
    await wait(5);
    const opened = session(file);
    const before = opened.number("pages");
    expect(before).toBeGreaterThan(1000);
    expect(sweepAll(opened)).toBeGreaterThan(10);
    expect(opened.number("count", 9)).toBe(2);
    expect(opened.number("pages")).toBeLessThan(before / 20);
  });

  it("leaves the leases that run", async () => {
    const file = place();
    const storage = await connected(file);
    const answers = await storage.leases?.acquire([
      { key: "runs", duration: 600_000 },
      { key: "is over", duration: 1 },
    ]);
    await wait(5);
    sweepAll(session(file));
    const fills = answers?.map((answer, index) => ({
      ...record(index ? "is over" : "runs", "value"),
      token: answer.outcome === "granted" ? answer.token : "",
    }));
    expect(await storage.leases?.fill(fills ?? [])).toEqual([true, false]);
  });

  it("is made by the storage itself", async () => {
    const file = place();
    const storage = await connected(file, { sweepInterval: 5 });
    await storage.writeMany(keys.map((key) => record(key, "value", 1)));
    const opened = session(file);
    while (opened.number("count", 9) > 0) await wait(5);
    expect(opened.number("count", 9)).toBe(0);
  });
});
