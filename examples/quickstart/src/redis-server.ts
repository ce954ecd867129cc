import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A Redis of our own that is gone without a trace when it is stopped. */
export interface RedisServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Redis's own name, and that of its free sister. */
const programs = ["redis-server", "valkey-server"];

/** Starts a throw-away Redis on this machine; `undefined` where there is none on PATH. */
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

/** The server once it is ready; `undefined` where the program is not installed. */
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

/** A port that nobody listens on at the moment. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return address.port;
}
