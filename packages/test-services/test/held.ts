import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleProgram } from "../src/program.js";

/** Another test process, which has started servers. */
export interface Held {
  readonly ports: readonly number[];
  /**
   * Kills the process (SIGKILL). Resolves when the given ports are released: those of its servers,
   * or others that they hold.
   */
  kill(ports: readonly number[]): Promise<void>;
}

/**
 * Starts another test process with a server.
 *
 * @param what a service's name, `cluster` or `sentinel`
 */
export async function hold(what: string): Promise<Held> {
  const program = await bundleProgram(new URL("holder.ts", import.meta.url));
  const holder = fork(program.path, [what], { execArgv: [] });
  const [message] = await once(holder, "message");
  // holder.ts sends it.
  const { ports } = message as { ports: number[] };
  return {
    ports,
    kill: async (held) => {
      holder.kill("SIGKILL");
      // The test's time limit ends the loop.
      while (held.some(isReserved)) await new Promise((resolve) => setTimeout(resolve, 5));
      program.remove();
    },
  };
}

/**
 * Returns whether a port is reserved. The file that marks it is removed last, after the server's
 * folder.
 */
export function isReserved(port: number): boolean {
  return existsSync(join(tmpdir(), "cacheme-test-ports", String(port)));
}
