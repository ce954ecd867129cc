import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary Redis that leaves nothing behind when it is stopped. */
export interface RedisServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The programs of Redis and of its fork Valkey. */
const programs = ["redis-server", "valkey-server"];

/** Starts a temporary Redis on this machine. Returns `undefined` if PATH has none. */
export async function startRedis(): Promise<RedisServer | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "cacheme-quickstart-"));
  const clean = () => rm(folder, { recursive: true, force: true });
  try {
    for (const program of programs) {
      const port = await freePort();
      const server = await start(program, port, folder);
      if (server === undefined) continue;
      const stop = async () => {
        server.kill();
        if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
        await clean();
      };
      return { url: `redis://127.0.0.1:${port}`, stop };
    }
  } catch (error) {
    await clean();
    throw error;
  }
  await clean();
  return undefined;
}

/** Resolves to the server when it is ready, or to `undefined` if the program is not installed. */
function start(program: string, port: number, folder: string): Promise<ChildProcess | undefined> {
  const settings = { bind: "127.0.0.1", port: `${port}`, dir: folder, save: "", appendonly: "no" };
  const parameters = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return new Promise((resolve, reject) => {
    const server = spawn(program, parameters, { stdio: ["ignore", "pipe", "ignore"] });
    let log = "";
    server.stdout.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (!log.includes("Ready to accept connections")) return;
      server.stdout.removeAllListeners("data").resume();
      resolve(server);
    });
    server.on("error", (error) => {
      if ("code" in error && error.code === "ENOENT") resolve(undefined);
      else reject(error);
    });
    server.on("exit", () => reject(new Error(`${program} did not start:\n${log.trim()}`)));
  });
}

/** Returns a port that is free at the moment. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return address.port;
}
