import { Cacheme, defineNode } from "cacheme";
import { Table } from "./table.js";

/** The program writes the table itself, and then invalidates. */
export async function cacheAside(): Promise<string> {
  const articles = new Table<string>();
  await articles.upsert(["1", "On tiers"]);

  const article = defineNode({ name: "article", key: (id: string) => id, load: (id) => articles.find(id) });

  await using cacheme = new Cacheme();
  const rename = async (id: string, title: string) => {
    await articles.upsert([id, title]); // The source first: a read in between would keep the old title.
    await cacheme.invalidate(article(id));
  };

  const before = await cacheme.get(article("1"));
  await rename("1", "On speed");
  const after = await cacheme.get(article("1"));
  return `"${before}" became "${after}" with ${articles.reads} queries`;
}
