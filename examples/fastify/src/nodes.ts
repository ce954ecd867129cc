import { defineNode } from "cacheme";
import { articles } from "./articles.js";

/** An article by its id. */
export const article = defineNode({
  name: "article",
  caches: [{ storage: "local", ttl: "1m" }],
  key: (id: string) => id,
  load: (id) => articles.find(id),
});

/** The words of a title, from a slow service. */
export const words = defineNode({
  name: "words",
  caches: [{ storage: "local", ttl: "1h" }],
  key: (title: string) => title,
  load: async (title) => title.toLowerCase().split(/\W+/),
});
