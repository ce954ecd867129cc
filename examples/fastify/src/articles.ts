import { setTimeout } from "node:timers/promises";

export interface Article {
  readonly id: string;
  readonly title: string;
}

const renamed = new Map<string, string>();

/** A database in this process, as slow as a remote one. Articles of the archive take a second. */
export const articles = {
  async find(id: string): Promise<Article> {
    await setTimeout(id.startsWith("archive-") ? 1_000 : 100);
    return { id, title: renamed.get(id) ?? `Article ${id}` };
  },

  async rename(id: string, title: string): Promise<void> {
    await setTimeout(100);
    renamed.set(id, title);
  },
};
