import { redis, redisBus } from "@cacheme/redis";
import { Cacheme, defineNode, memory } from "cacheme";
import type { Cache, Library, SetUp } from "../library.js";
import { redisUrlOf } from "../library.js";

/** docs/getting-started.md, docs/storages.md, docs/tags.md and docs/bus.md: a memory storage in front of Redis, with their defaults. */
export const cacheme: Library = {
  name: "Cacheme",
  packages: ["cacheme", "@cacheme/redis", "ioredis"],
  lacks: [],
  async open({ tiers, redisUrl, ttl, load, loadAll, loadTimeout, tag, bus }: SetUp): Promise<Cache> {
    const space = new Cacheme();
    const names = tiers === "both" ? ["local", "redis"] : tiers === "memory" ? ["local"] : ["redis"];
    if (names.includes("local")) await space.registerStorage("local", memory({ maxSize: 10_000 }));
    if (names.includes("redis")) await space.registerStorage("redis", redis(redisUrlOf(redisUrl)));
    if (bus) await space.registerBus(redisBus(redisUrlOf(redisUrl)));
    const value = defineNode({
      name: "value",
      caches: names.map((storage) => ({ storage, ttl })),
      loadTimeout,
      key: (key: string) => key,
      load: (key): Promise<unknown> => load(key),
      loadAll,
      ...(tag === undefined ? {} : { tags: () => [tag] }),
    });
    return {
      get: (key, signal) => space.get(value(key), { signal }),
      getMany: (keys) => space.getAll(keys.map((key) => value(key))),
      invalidate: (key) => space.invalidate(value(key)),
      invalidateTag: (name) => space.invalidateTags(name),
      hitCount: () => space.stats(value).hitCount,
    };
  },
};
