import { createCache } from "async-cache-dedupe";
import { Redis } from "ioredis";
import { type Cache, ioredisOptions, type Library, type SetUp } from "../library.js";

/** The README's "createCache", "define" and "Invalidation". One storage, no tiers; times are in seconds. */
export const asyncCacheDedupe: Library = {
  name: "async-cache-dedupe",
  packages: ["async-cache-dedupe", "ioredis"],
  lacks: ["signal"],
  open(setUp: SetUp): Promise<Cache> {
    const { tiers, ttl, load, staleFor, tag } = setUp;
    const seconds = Math.ceil(ttl / 1000);
    const stale = Math.ceil((staleFor ?? 0) / 1000);
    let hits = 0;
    const cache = createCache({
      ttl: seconds,
      stale,
      storage:
        tiers === "memory"
          ? { type: "memory", options: { invalidation: true } }
          : {
              type: "redis",
              options: {
                client: new Redis(ioredisOptions(setUp)),
                invalidation: { referencesTTL: seconds + stale },
              },
            },
      onHit: () => hits++,
    }).define("value", { references: () => (tag === undefined ? [] : [tag]) }, load);
    return Promise.resolve({
      get: (key) => cache.value(key),
      invalidate: (key) => cache.clear("value", key),
      invalidateTag: (name) => cache.invalidateAll(name),
      hitCount: () => hits,
    });
  },
};
