import { type LoadContext, Node, type NodeMeta } from "cacheme";
import { type Article, ArticleRepository, type Dictionary } from "./sources.js";

const caches = [{ storage: "local", ttl: "1m" }] as const;

/**
 * Gets the repository from its space; the cache module provides it. Any code can create such a
 * node.
 */
export class ArticleNode extends Node<Article> {
  static override meta: NodeMeta = { name: "article", caches };

  constructor(readonly id: string) {
    super();
  }

  key() {
    return this.id;
  }

  override load({ inject }: LoadContext<Article>) {
    return inject(ArticleRepository).find(this.id);
  }
}

/**
 * Gets the dictionary through its constructor. A provider with the dictionary creates such nodes.
 */
export class WordsNode extends Node<string[]> {
  static override meta: NodeMeta = { name: "words", caches };

  constructor(
    readonly text: string,
    private readonly dictionary: Dictionary,
  ) {
    super();
  }

  key() {
    return this.text;
  }

  override load() {
    return this.dictionary.words(this.text);
  }
}

/** Has no load: it keeps a method's results. */
export class TitleNode extends Node<string> {
  static override meta: NodeMeta = { name: "title", caches };

  constructor(readonly id: string) {
    super();
  }

  key() {
    return this.id;
  }
}
