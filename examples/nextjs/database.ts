import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";

export interface Article {
  readonly id: string;
  readonly title: string;
  readonly authorId: number;
  /** The query that returned this object. Readers that see the same query share a load. */
  readonly query: string;
}

/**
 * Next evaluates this module once for pages and once for route handlers. The table is therefore
 * outside of it, like a database.
 */
const holder = globalThis as { exampleTitles?: Map<string, string> };
holder.exampleTitles ??= new Map([
  ["1", "On tiers"],
  ["2", "On flights"],
]);
const titles = holder.exampleTitles;

/** A database in this process, as slow as a remote one. */
export const db = {
  async article(id: string, { upperCase = false } = {}): Promise<Article | undefined> {
    await setTimeout(200);
    const title = titles.get(id);
    if (title === undefined) return undefined;
    return { id, title: upperCase ? title.toUpperCase() : title, authorId: Number(id), query: randomUUID() };
  },

  async rename(id: string, title: string): Promise<void> {
    await setTimeout(200);
    titles.set(id, title);
  },
};
