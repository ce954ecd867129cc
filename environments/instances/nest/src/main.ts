import "reflect-metadata";
import {
  Controller,
  Get,
  HttpCode,
  Module,
  type OnApplicationShutdown,
  Param,
  Put,
  Req,
  ShutdownSignal,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { Cacheme } from "cacheme";
import type { Request } from "express";
import { register } from "../../storages.js";
import { value, write } from "../../value.js";

@Controller("values")
class ValuesController {
  constructor(private readonly cacheme: Cacheme) {}

  @Get(":id")
  async find(@Param("id") id: string) {
    return `${await this.cacheme.get(value(id))}`;
  }

  @Put(":id")
  @HttpCode(204)
  async write(@Param("id") id: string, @Req() request: Request) {
    let body = "";
    for await (const part of request) body += part;
    await write(id, body);
    await this.cacheme.invalidate(value(id));
  }
}

@Module({
  controllers: [ValuesController],
  providers: [
    {
      provide: Cacheme,
      useFactory: async () => {
        const cacheme = new Cacheme();
        await register(cacheme);
        return cacheme;
      },
    },
  ],
})
class AppModule implements OnApplicationShutdown {
  constructor(private readonly cacheme: Cacheme) {}

  onApplicationShutdown() {
    return this.cacheme.close();
  }
}

const app = await NestFactory.create(AppModule, { logger: ["error", "warn"], bodyParser: false });
app.enableShutdownHooks([ShutdownSignal.SIGTERM], { useProcessExit: true });
await app.listen(0, "127.0.0.1");
console.log(`Listening on ${await app.getUrl()}`);
