import { Cacheme, defineNode } from "cacheme";
import { Table } from "./table.js";

/** Readers ask the cache; the cache asks the table when it must. */
export async function readThrough(): Promise<string> {
  const articles = new Table<string>();
  await articles.upsert(["1", "On tiers"]);

  const article = defineNode({ name: "article", key: (id: string) => id, load: (id) => articles.find(id) });

  await using cacheme = new Cacheme();
  const titles = await Promise.all(Array.from({ length: 100 }, () => cacheme.get(article("1"))));
  return `${titles.length} reads of "${titles[0]}" cost ${articles.reads} query`;
}
