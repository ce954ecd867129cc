import { Module, type OnApplicationShutdown } from "@nestjs/common";
import { Cacheme, memory } from "cacheme";
import { ArticleRepository } from "./sources.js";
import { SourcesModule } from "./sources.module.js";

/** One space for each application, with its storages and the providers for its nodes' loads. */
@Module({
  imports: [SourcesModule],
  providers: [
    {
      provide: Cacheme,
      inject: [ArticleRepository],
      useFactory: async (articles: ArticleRepository) => {
        const cacheme = new Cacheme();
        cacheme.provide(ArticleRepository, articles);
        await cacheme.registerStorage("local", memory({ maxSize: 10_000 }));
        return cacheme;
      },
    },
  ],
  exports: [Cacheme],
})
export class CacheModule implements OnApplicationShutdown {
  constructor(private readonly cacheme: Cacheme) {}

  // Nest calls this when the server has answered all accepted requests, and onModuleDestroy before
  // that.
  onApplicationShutdown() {
    return this.cacheme.close();
  }
}
