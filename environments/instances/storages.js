import { redis, redisBus } from "@cacheme/redis";
import { memory } from "cacheme";

/**
 * Registers what the instances share, as the pages about NestJS and Next.js say.
 *
 * @param {Pick<import("cacheme").Cacheme, "registerStorage" | "registerBus">} cacheme
 */
export async function register(cacheme) {
  const url = process.env.REDIS_URL ?? "";
  await cacheme.registerStorage("local", memory({ maxSize: 1_000 }));
  await cacheme.registerStorage("redis", redis(url, { connect: "lazy" }));
  await cacheme.registerBus(redisBus(url));
}
