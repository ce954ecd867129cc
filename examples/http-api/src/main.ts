/** A small HTTP server in front of a slow source. */
import { once } from "node:events";
import { createServer } from "node:http";
import { close, get, invalidate, memory, registerStorage, stats } from "cacheme";
import { articles } from "./articles.js";
import { article, words } from "./nodes.js";

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function answer(method: string, path: string, title: string): Promise<Answer> {
  if (path === "/stats") return { status: 200, body: stats() };
  const [, id] = /^\/articles\/(\w+)$/.exec(path) ?? [];
  if (id === undefined) return { status: 404, body: "Try /articles/1 or /stats" };
  if (method === "PUT") {
    await articles.rename(id, title);
    await invalidate(article(id)); // Invalidate after the change. Otherwise a read in between would cache the old title.
    return { status: 204, body: undefined };
  }
  const found = await get(article(id));
  if (found === undefined) return { status: 404, body: "No such article" };
  return { status: 200, body: { ...found, words: await words(found.title) } };
}

/** Each reader gets the error of the load: here it becomes an answer. */
function failure(error: unknown): Answer {
  console.error(error);
  return { status: 500, body: "Something went wrong" };
}

await registerStorage("local", memory({ maxSize: 1_000 }));

const server = createServer(async (request, response) => {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part;
  const { status, body } = await answer(request.method ?? "GET", request.url ?? "/", text).catch(failure);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
});

server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
await once(server, "listening");
const address = server.address();
console.log(
  `Listening on http://127.0.0.1:${typeof address === "object" ? address?.port : address}/articles/1`,
);

await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
server.close();
await once(server, "close"); // The server has answered all accepted requests. Connections that clients keep end within five
// seconds.
await close();
