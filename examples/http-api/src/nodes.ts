import { defineNode, memoize } from "cacheme";
import { articles } from "./articles.js";

/** An article by its id. A missing article is a value too, and is cached like one. */
export const article = defineNode({
  name: "article",
  key: (id: string) => id,
  load: (id) => articles.find(id),
  caches: [{ storage: "local", ttl: "1m" }],
});

const wordsNode = defineNode({
  name: "words",
  key: (title: string) => encodeURIComponent(title),
  caches: [{ storage: "local", ttl: "1h" }],
});

/** An existing function, with a cache around it. */
export const words = memoize(async (title: string) => title.toLowerCase().split(/\W+/), wordsNode);
