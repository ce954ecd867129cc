import "reflect-metadata";
import { ShutdownSignal } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { AppModule } from "./app.module.js";

const app = await NestFactory.create(AppModule, { logger: ["error", "warn"] });
// With useProcessExit, the process ends with code 0. Otherwise Nest sends itself the signal again.
app.enableShutdownHooks([ShutdownSignal.SIGTERM, ShutdownSignal.SIGINT], { useProcessExit: true });
await app.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1");
console.log(`Listening on ${await app.getUrl()}`);
