import { redis } from "@cacheme/redis";
import { type CacheTier, memory, registerStorage, setPrefix } from "cacheme";

const redisUrl = process.env.REDIS_URL;

/** Where the nodes keep their values: in memory, and behind it in Redis if there is one. The nodes need not know. */
export const caches: readonly CacheTier[] =
  redisUrl === undefined
    ? [{ storage: "memory" }]
    : [{ storage: "memory" }, { storage: "redis", ttl: "10m" }];

/** Called once, before the first read. */
export async function connectCaches(): Promise<void> {
  setPrefix(process.env.CACHE_PREFIX ?? "quickstart");
  await registerStorage("memory", memory({ maxSize: 10_000 }));
  if (redisUrl !== undefined) await registerStorage("redis", redis(redisUrl));
}
