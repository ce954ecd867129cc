import { redis } from "@cacheme/redis";
import { Cacheme, defineNode, memory } from "cacheme";
import type { Cache, Library, SetUp } from "../library.js";
import { redisUrlOf } from "../library.js";

/** docs/getting-started.md and docs/storages.md: a memory storage in front of Redis, both with their defaults. */
export const cacheme: Library = {
  name: "Cacheme",
  packages: ["cacheme", "@cacheme/redis", "ioredis"],
  lacks: ["tags"],
  async open({ tiers, redisUrl, ttl, load, loadAll, loadTimeout }: SetUp): Promise<Cache> {
    const space = new Cacheme();
    const names = tiers === "both" ? ["local", "redis"] : tiers === "memory" ? ["local"] : ["redis"];
    if (names.includes("local")) await space.registerStorage("local", memory({ maxSize: 10_000 }));
    if (names.includes("redis")) await space.registerStorage("redis", redis(redisUrlOf(redisUrl)));
    const value = defineNode({
      name: "value",
      caches: names.map((storage) => ({ storage, ttl })),
      loadTimeout,
      key: (key: string) => key,
      load: (key): Promise<unknown> => load(key),
      loadAll,
    });
    return {
      get: (key, signal) => space.get(value(key), { signal }),
      getMany: (keys) => space.getAll(keys.map((key) => value(key))),
      invalidate: (key) => space.invalidate(value(key)),
      hitCount: () => space.stats(value).hitCount,
    };
  },
};
