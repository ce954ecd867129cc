import type { ServiceDefinition } from "../services/service-definition.js";

/** Far more than any server needs; a test machine under load may need more than usual. */
const patience = 30_000;

/** What is known of a server that is starting. */
export interface Starting {
  /** Whether it still runs. */
  alive(): boolean;
  /** What it has printed so far, for the error. */
  log(): string;
}

/**
 * Waits until the server answers, by asking it.
 *
 * @throws Error with the server's last words if it ends before, or does not answer in half a minute
 */
export async function untilReady(
  definition: ServiceDefinition,
  port: number,
  server: Starting,
): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await definition.ready(port, 1000))) {
    if (!server.alive())
      throw new Error(`${definition.title} ended before it was ready. ${lastWords(server)}`);
    if (Date.now() > deadline) {
      throw new Error(
        `${definition.title} did not answer on port ${port} within ${patience} ms. ${lastWords(server)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

function lastWords(server: Starting): string {
  const words = server.log().trim().split("\n").slice(-20).join("\n");
  return words === "" ? "It printed nothing." : `Its last words:\n${words}`;
}
