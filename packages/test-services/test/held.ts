import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleProgram } from "../src/program.js";

/** A test process of its own, which has started servers. */
export interface Held {
  readonly ports: readonly number[];
  /** SIGKILL. Resolves as soon as these ports have been given back, those of the servers or others that they hold. */
  kill(ports: readonly number[]): Promise<void>;
}

/** @param what a service's name, `cluster` or `sentinel` */
export async function hold(what: string): Promise<Held> {
  const program = await bundleProgram(new URL("holder.ts", import.meta.url));
  const holder = fork(program.path, [what], { execArgv: [] });
  const [message] = await once(holder, "message");
  // Sent by holder.ts.
  const { ports } = message as { ports: number[] };
  return {
    ports,
    kill: async (held) => {
      holder.kill("SIGKILL");
      // The test's own time limit ends it.
      while (held.some(isReserved)) await new Promise((resolve) => setTimeout(resolve, 5));
      program.remove();
    },
  };
}

/** Whether the file is there that keeps a port from other test processes; it goes last, after the server's folder. */
export function isReserved(port: number): boolean {
  return existsSync(join(tmpdir(), "cacheme-test-ports", String(port)));
}
