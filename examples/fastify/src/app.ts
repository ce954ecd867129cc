import { close, get, invalidate, stats, storages } from "cacheme";
import fastify, { type FastifyInstance } from "fastify";
import { articles } from "./articles.js";
import { article, words } from "./nodes.js";

export function createApp(): FastifyInstance {
  // Answers requests on open connections while the server closes, instead of refusing them with
  // 503.
  const app = fastify({ return503OnClosing: false });

  // Ends connections with their answers when the server closes. Otherwise it waits for clients that
  // keep theirs.
  let isClosing = false;
  app.addHook("preClose", async () => {
    isClosing = true;
  });
  app.addHook("onSend", async (_request, reply) => {
    if (isClosing) reply.header("Connection", "close");
  });

  // Fastify calls this when the server has answered all accepted requests.
  app.addHook("onClose", () => close());

  // A failing storage is no reason to restart or to refuse requests: reads continue with the
  // source.
  app.get("/health", () => ({
    status: "ok",
    hitRate: stats().hitRate,
    storages: storages().map(({ name, failureCount }) => ({ name, failureCount })),
  }));

  app.get<{ Params: { id: string } }>("/articles/:id", async ({ params }) => {
    const found = await get(article(params.id));
    return { ...found, words: await get(words(found.title)) };
  });

  app.put<{ Params: { id: string }; Body: string }>("/articles/:id", async ({ params, body }, reply) => {
    await articles.rename(params.id, body);
    await invalidate(article(params.id)); // Invalidate after the change. Otherwise a read in between would cache the old title.
    return await reply.status(204).send();
  });

  return app;
}
