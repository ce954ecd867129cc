import { type MiddlewareConsumer, Module, type NestModule } from "@nestjs/common";
import { ArticlesController } from "./articles.controller.js";
import { ArticlesService } from "./articles.service.js";
import { CacheModule } from "./cache.module.js";
import { Draining } from "./draining.js";
import { SourcesModule } from "./sources.module.js";

@Module({
  imports: [SourcesModule, CacheModule],
  controllers: [ArticlesController],
  providers: [ArticlesService, Draining],
})
export class AppModule implements NestModule {
  configure(consumer: MiddlewareConsumer) {
    consumer.apply(Draining).forRoutes("*path");
  }
}
