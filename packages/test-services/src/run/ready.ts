import type { ServiceDefinition } from "../services/service-definition.js";

/** Milliseconds for a server to start: far more than any needs, even on a busy machine. */
const patience = 30_000;

/** A server that is starting. */
export interface Starting {
  /** Returns whether the server still runs. */
  alive(): boolean;
  /** Returns the output so far, for the error. */
  log(): string;
}

/**
 * Waits until the server answers.
 *
 * @throws Error with the server's last output if it ends, or does not answer within half a minute
 */
export async function untilReady(
  definition: ServiceDefinition,
  port: number,
  server: Starting,
): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await definition.ready(port, 1000))) {
    if (!server.alive())
      throw new Error(`${definition.title} ended before it was ready. ${lastOutput(server)}`);
    if (Date.now() > deadline) {
      throw new Error(
        `${definition.title} did not answer on port ${port} within ${patience} ms. ${lastOutput(server)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

function lastOutput(server: Starting): string {
  const output = server.log().trim().split("\n").slice(-20).join("\n");
  return output === "" ? "It printed nothing." : `Its last output:\n${output}`;
}
