import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll } from "vitest";
import { bundleProgram } from "../src/program.js";
import type { ServiceName } from "../src/services/catalogue.js";
import { describeWithServer } from "../src/vitest.js";

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
 * Describes a suite in which another test process has started a server.
 *
 * @param what as in {@link hold}
 */
export function describeHeld(
  name: ServiceName,
  suite: string,
  what: string,
  body: (held: () => Held) => void,
): void {
  describeWithServer(name, suite, () => {
    let held: Held;
    beforeAll(async () => {
      held = await hold(what);
    });
    body(() => held);
  });
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
