import { setTimeout } from "node:timers/promises";
import { Injectable } from "@nestjs/common";

export interface Article {
  readonly id: string;
  readonly title: string;
}

/** A database in this process, as slow as a remote one. Articles of the archive take a second. */
@Injectable()
export class ArticleRepository {
  readonly #renamed = new Map<string, string>();

  async find(id: string): Promise<Article> {
    await setTimeout(id.startsWith("archive-") ? 1_000 : 100);
    return { id, title: this.#renamed.get(id) ?? `Article ${id}` };
  }

  async rename(id: string, title: string): Promise<void> {
    await setTimeout(100);
    this.#renamed.set(id, title);
  }
}

/** A slow service that splits strings into words. */
@Injectable()
export class Dictionary {
  async words(text: string): Promise<string[]> {
    return text.toLowerCase().split(/\W+/);
  }
}
