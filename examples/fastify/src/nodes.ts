import { Node, type NodeMeta } from "cacheme";
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

/** The words of a title, from a slow service. */
export class WordsNode extends Node {
  static override meta: NodeMeta = { name: "words", caches: [{ storage: "local", ttl: "1h" }] };

  constructor(readonly title: string) {
    super();
  }

  key() {
    return this.title;
  }

  override load() {
    return Promise.resolve(this.title.toLowerCase().split(/\W+/));
  }
}
