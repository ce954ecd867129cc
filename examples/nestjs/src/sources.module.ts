import { Module } from "@nestjs/common";
import { ArticleRepository, Dictionary } from "./sources.js";

@Module({ providers: [ArticleRepository, Dictionary], exports: [ArticleRepository, Dictionary] })
export class SourcesModule {}
