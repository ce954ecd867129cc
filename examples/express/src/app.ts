import { get, invalidate, stats, storages } from "cacheme";
import express, { type Express } from "express";
import { articles } from "./articles.js";
import { ArticleNode, words } from "./nodes.js";

export function createApp(): Express {
  const app = express();

  // A failing storage is no reason to restart or to refuse requests: reads continue with the
  // source.
  app.get("/health", (_request, response) => {
    response.json({
      status: "ok",
      hitRate: stats().hitRate,
      storages: storages().map(({ name, failureCount }) => ({ name, failureCount })),
    });
  });

  app.get("/articles/:id", async (request, response) => {
    const article = await get(new ArticleNode(request.params.id));
    response.json({ ...article, words: await get(words(article.title)) });
  });

  app.put("/articles/:id", express.text({ type: "*/*" }), async (request, response) => {
    const { id } = request.params;
    await articles.rename(id, String(request.body));
    await invalidate(new ArticleNode(id)); // Invalidate after the change. Otherwise a read in between would cache the old title.
    response.status(204).end();
  });

  return app;
}
