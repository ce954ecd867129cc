import { defineNode, type LoadAll, Node, type NodeMeta } from "cacheme";
import type { Author } from "@/authors";
import { db } from "@/database";
import "@/storages";

/** An article by its id. */
export const article = defineNode({
  name: "article",
  key: (id: string) => id,
  load: (id) => db.article(id),
  caches: [{ storage: "local", ttl: "5m" }],
});

/** An author by number. The misses of one render become one request. */
export class AuthorNode extends Node<Author> {
  static override meta: NodeMeta = { name: "author", caches: [{ storage: "local", ttl: "1h" }] };

  static override loadAll: LoadAll<AuthorNode> = async (nodes) => {
    const { findAuthors } = await import("@/authors"); // The module is loaded at its first use.
    const found = await findAuthors(nodes.map(({ id }) => id));
    const authors = new Map(found.map((author) => [author.id, author]));
    return nodes.map(({ id }) => authors.get(id) ?? new Error(`There is no author ${id}`));
  };

  constructor(readonly id: number) {
    super();
  }

  key() {
    return `${this.id}`;
  }
}
