import { type Cache as CachifiedCache, cachified, createBatch, totalTtl } from "@epic-web/cachified";
import { redisCacheAdapter } from "cachified-redis-adapter";
import { LRUCache } from "lru-cache";
import { createClient } from "redis";
import { type Cache, type Library, nodeRedisOptions, type SetUp } from "../library.js";

/**
 * The README's "Usage" (lru-cache), "Adapters" (cachified-redis-adapter on the client `redis`), "Stale while revalidate" and
 * "Batch requesting values". One cache, no tiers; a removal is the cache's own `delete`.
 */
export const cachifiedLibrary: Library = {
  name: "cachified",
  packages: ["@epic-web/cachified", "cachified-redis-adapter", "redis"],
  lacks: ["tags", "signal"],
  async open(setUp: SetUp): Promise<Cache> {
    const { tiers, ttl, load, loadAll, staleFor } = setUp;
    const cache = tiers === "memory" ? lru() : await onRedis(setUp);
    const options = { cache, ttl, ...(staleFor === undefined ? {} : { staleWhileRevalidate: staleFor }) };
    let hits = 0;
    const get = (key: string, getFreshValue = (): Promise<unknown> => load(key)): Promise<unknown> =>
      cachified({ ...options, key, getFreshValue }, () => ({ name }) => {
        if (name === "getCachedValueSuccess") hits++;
      });
    return {
      get: (key) => get(key),
      getMany: (keys) => {
        const batch = createBatch((wanted: string[]) =>
          loadAll ? loadAll(wanted) : Promise.all(wanted.map(load)),
        );
        return Promise.all(keys.map((key) => cachified({ ...options, key, getFreshValue: batch.add(key) })));
      },
      invalidate: async (key) => cache.delete(key),
      hitCount: () => hits,
    };
  },
};

/** As the README makes it. */
function lru(): CachifiedCache {
  const entries = new LRUCache<string, NonNullable<Awaited<ReturnType<CachifiedCache["get"]>>>>({
    max: 1000,
  });
  return {
    set(key, value) {
      const lifetime = totalTtl(value.metadata);
      return entries.set(key, value, {
        ...(lifetime === Number.POSITIVE_INFINITY ? {} : { ttl: lifetime }),
        start: value.metadata.createdTime,
      });
    },
    get: (key) => entries.get(key),
    delete: (key) => entries.delete(key),
  };
}

async function onRedis(setUp: SetUp): Promise<CachifiedCache> {
  const client = createClient(nodeRedisOptions(setUp));
  client.on("error", () => {});
  await client.connect();
  return redisCacheAdapter({
    get: (key) => client.get(key),
    set: (key, value, options) => client.set(key, value, options),
    del: (key) => client.del(key),
  });
}
