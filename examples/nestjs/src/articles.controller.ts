import { Body, Controller, Get, HttpCode, Param, Put } from "@nestjs/common";
import { Cacheme } from "cacheme";
import { ArticlesService } from "./articles.service.js";

@Controller()
export class ArticlesController {
  constructor(
    private readonly articles: ArticlesService,
    private readonly cacheme: Cacheme,
  ) {}

  @Get("articles/:id")
  find(@Param("id") id: string) {
    return this.articles.find(id);
  }

  @Put("articles/:id")
  @HttpCode(204)
  rename(@Param("id") id: string, @Body() { title }: { readonly title: string }) {
    return this.articles.rename(id, title);
  }

  // A failing storage is no reason to restart or to refuse requests: reads continue with the
  // source.
  @Get("health")
  health() {
    return {
      status: "ok",
      hitRate: this.cacheme.stats().hitRate,
      storages: this.cacheme.storages().map(({ name, failureCount }) => ({ name, failureCount })),
    };
  }
}
