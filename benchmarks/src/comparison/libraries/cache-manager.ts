import KeyvRedis, { createKeyvNonBlocking } from "@keyv/redis";
import { createCache } from "cache-manager";
import { CacheableMemory } from "cacheable";
import { Keyv } from "keyv";
import { type Cache, type Library, nodeRedisOptions, type SetUp } from "../library.js";

/**
 * The README's "Quick start" (CacheableMemory in front of @keyv/redis) and "wrap". For a Redis in trouble it has
 * `nonBlocking`, and @keyv/redis has `createKeyvNonBlocking`.
 */
export const cacheManager: Library = {
  name: "cache-manager",
  packages: ["cache-manager", "keyv", "@keyv/redis"],
  lacks: ["tags", "signal", "hit count"],
  open(setUp: SetUp): Promise<Cache> {
    const { tiers, ttl, load, refreshAt, prepared } = setUp;
    const stores: Keyv[] = [];
    if (tiers !== "redis") stores.push(new Keyv({ store: new CacheableMemory({ ttl, lruSize: 5000 }) }));
    if (tiers !== "memory") {
      const options = nodeRedisOptions(setUp);
      stores.push(prepared ? createKeyvNonBlocking(options) : new Keyv({ store: new KeyvRedis(options) }));
    }
    for (const store of stores) store.on("error", () => {});
    const cache = createCache({
      stores,
      ttl,
      ...(refreshAt === undefined ? {} : { refreshThreshold: refreshAt }),
      ...(prepared ? { nonBlocking: true } : {}),
    });
    return Promise.resolve({
      get: (key) => cache.wrap(key, () => load(key)),
      getMany: (keys) => cache.mget([...keys]),
      invalidate: (key) => cache.del(key),
    });
  },
};
