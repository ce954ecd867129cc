import { defineNode, Node, type NodeMeta } from "cacheme";
import { articles } from "./articles.js";

/** An article by its id. */
export class ArticleNode extends Node {
  static override meta: NodeMeta = { name: "article", caches: [{ storage: "local", ttl: "1m" }] };

  constructor(readonly id: string) {
    super();
  }

  key() {
    return this.id;
  }

  override load() {
    return articles.find(this.id);
  }
}

/** The words of a title, from a slow service: the same without a class. */
export const words = defineNode({
  name: "words",
  caches: [{ storage: "local", ttl: "1h" }],
  key: (title: string) => title,
  load: async (title) => title.toLowerCase().split(/\W+/),
});
