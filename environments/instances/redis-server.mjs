import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Starts a Redis that ends with this process, or a Valkey if PATH has no Redis.
 *
 * @returns {Promise<string>} its address
 */
export async function startRedis() {
  const program = ["redis-server", "valkey-server"].find(
    (name) => spawnSync(name, ["--version"]).status === 0,
  );
  if (program === undefined) throw new Error("Put redis-server or valkey-server on PATH.");
  const folder = mkdtempSync(join(tmpdir(), "cacheme-instances-"));
  const port = await freePort();
  const settings = { bind: "127.0.0.1", port: `${port}`, dir: folder, save: "", appendonly: "no" };
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const server = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  process.once("exit", () => {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  for await (const text of server.stdout.setEncoding("utf8")) {
    if (text.includes("Ready to accept connections")) break;
  }
  return `redis://127.0.0.1:${port}`;
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, "close");
  return port;
}
