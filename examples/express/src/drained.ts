import { once } from "node:events";
import type { Server, ServerResponse } from "node:http";

/**
 * Waits for SIGTERM or SIGINT. Then the server accepts no new connections, and answers the accepted
 * requests. A second signal of the same name ends the process at once.
 *
 * @returns resolves when the last request is answered and its connection is closed
 */
export async function drained(server: Server): Promise<void> {
  const underWay = new Set<ServerResponse>();
  let isClosing = false;
  server.prependListener("request", (_request, response) => {
    // The client sends its next request on a new connection, to another server.
    if (isClosing) response.setHeader("Connection", "close");
    underWay.add(response);
    response.once("close", () => underWay.delete(response));
  });

  await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  isClosing = true;
  for (const response of underWay) if (!response.headersSent) response.setHeader("Connection", "close");
  server.close();
  await once(server, "close");
}
