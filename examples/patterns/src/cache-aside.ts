import { Cacheme, Node } from "cacheme";
import { Table } from "./table.js";

/** The program writes the table itself, and then invalidates. */
export async function cacheAside(): Promise<string> {
  const articles = new Table<string>();
  await articles.upsert(["1", "On tiers"]);

  class Article extends Node<string | undefined> {
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

  await using cacheme = new Cacheme();
  const rename = async (id: string, title: string) => {
    await articles.upsert([id, title]); // The source first: a read in between would keep the old title.
    await cacheme.invalidate(new Article(id));
  };

  const before = await cacheme.get(new Article("1"));
  await rename("1", "On speed");
  const after = await cacheme.get(new Article("1"));
  return `"${before}" became "${after}" with ${articles.reads} queries`;
}
