import { setTimeout } from "node:timers/promises";

/** An article, which the server returns. */
export interface Article {
  readonly id: string;
  readonly title: string;
}

const titles = new Map([
  ["1", "On tiers"],
  ["2", "On flights"],
]);

/** A database in this process, as slow as a remote one. */
export const articles = {
  async find(id: string): Promise<Article | undefined> {
    await setTimeout(200);
    const title = titles.get(id);
    return title === undefined ? undefined : { id, title };
  },

  async rename(id: string, title: string): Promise<void> {
    await setTimeout(200);
    titles.set(id, title);
  },
};
