import { close, get, invalidate, stats, storages } from "cacheme";
import fastify, { type FastifyInstance } from "fastify";
import { articles } from "./articles.js";
import { ArticleNode, WordsNode } from "./nodes.js";

export function createApp(): FastifyInstance {
  // What comes on open connections while the server closes is answered, and not refused with 503.
  const app = fastify({ return503OnClosing: false });

  // Ends connections with their answers once the server closes. Otherwise it waits for clients that keep theirs.
  let isClosing = false;
  app.addHook("preClose", async () => {
    isClosing = true;
  });
  app.addHook("onSend", async (_request, reply) => {
    if (isClosing) reply.header("Connection", "close");
  });

  // Called when the server has answered what it had taken.
  app.addHook("onClose", () => close());

  // A storage in trouble is no reason to restart or to take no requests: reads go on to the source.
  app.get("/health", () => ({
    status: "ok",
    hitRate: stats().hitRate,
    storages: storages().map(({ name, failureCount }) => ({ name, failureCount })),
  }));

  app.get<{ Params: { id: string } }>("/articles/:id", async ({ params }) => {
    const article = await get(new ArticleNode(params.id));
    const words = await get(new WordsNode(article.title));
    return { ...article, words };
  });

  app.put<{ Params: { id: string }; Body: string }>("/articles/:id", async ({ params, body }, reply) => {
    await articles.rename(params.id, body);
    await invalidate(new ArticleNode(params.id)); // After the change: a read in between would keep the old title.
    return await reply.status(204).send();
  });

  return app;
}
