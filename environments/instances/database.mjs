import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout } from "node:timers/promises";

/**
 * Starts a slow database of numbers that all instances use. A row that nobody has written is 0.
 *
 * @returns {Promise<{ url: string, readsOf(id: string): number }>}
 */
export async function startDatabase() {
  /** @type {Map<string, string>} */
  const rows = new Map();
  /** @type {string[]} */
  const reads = [];
  const server = createServer(async (request, response) => {
    const id = request.url?.slice(1) ?? "";
    if (request.method === "PUT") {
      let body = "";
      for await (const part of request) body += part;
      rows.set(id, body);
    } else reads.push(id);
    const row = rows.get(id) ?? "0";
    await setTimeout(50);
    response.end(row);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    readsOf: (id) => reads.filter((read) => read === id).length,
  };
}
