import { Injectable } from "@nestjs/common";
import { Cacheme, memoized } from "cacheme";
import { ArticleNode, TitleNode, WordsNode } from "./nodes.js";
import { ArticleRepository, Dictionary } from "./sources.js";

@Injectable()
export class ArticlesService {
  constructor(
    private readonly cacheme: Cacheme,
    private readonly articles: ArticleRepository,
    private readonly dictionary: Dictionary,
  ) {}

  async find(id: string) {
    const article = await this.cacheme.get(new ArticleNode(id));
    const words = await this.cacheme.get(new WordsNode(article.title, this.dictionary));
    return { ...article, words };
  }

  /**
   * Without this option, the default space would keep the results of all applications in this
   * process.
   */
  @memoized((id: string) => new TitleNode(id), { space: (service: ArticlesService) => service.cacheme })
  async title(id: string): Promise<string> {
    return (await this.articles.find(id)).title;
  }

  async rename(id: string, title: string) {
    await this.articles.rename(id, title);
    // Invalidate after the change. Otherwise a read in between would cache the old title.
    await this.cacheme.invalidate(new ArticleNode(id), new TitleNode(id));
  }
}
