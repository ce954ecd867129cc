import KeyvRedis, { createKeyvNonBlocking } from "@keyv/redis";
import { RedisMessageProvider } from "@qified/redis";
import { Cacheable } from "cacheable";
import { type Cache, type Library, nodeRedisOptions, redisUrlOf, type SetUp } from "../library.js";

/**
 * The README's "Basic Usage", "GetOrSet", "CacheableSync" and "Tag Based Invalidation". For a Redis in trouble it has
 * "Non-Blocking with @keyv/redis", with which a read does not wait for Redis.
 */
export const cacheable: Library = {
  name: "cacheable",
  packages: ["cacheable", "@keyv/redis", "@qified/redis"],
  lacks: ["signal"],
  open(setUp: SetUp): Promise<Cache> {
    const { tiers, redisUrl, ttl, load, errorTtl, tag, bus, prepared } = setUp;
    const options = tiers === "memory" ? undefined : nodeRedisOptions(setUp);
    const secondary = options && (prepared ? createKeyvNonBlocking(options) : new KeyvRedis(options));
    const cache = new Cacheable({
      ttl,
      stats: true,
      ...(secondary ? { secondary } : {}),
      ...(prepared ? { nonBlocking: true } : {}),
      ...(tag === undefined ? {} : { tags: true }),
      ...(bus ? { sync: { qified: new RedisMessageProvider({ uri: redisUrlOf(redisUrl) }) } } : {}),
    });
    cache.on("error", () => {});
    // `getOrSet` takes no tags; `set` does.
    const getTagged = async (key: string, name: string): Promise<unknown> => {
      const known = await cache.get(key);
      if (known !== undefined) return known;
      const value = await load(key);
      await cache.set(key, value, { tags: [name] });
      return value;
    };
    return Promise.resolve({
      get: (key) =>
        tag === undefined
          ? cache.getOrSet(key, () => load(key), {
              ttl,
              ...(errorTtl === undefined ? {} : { cacheErrors: true }),
            })
          : getTagged(key, tag),
      getMany: (keys) => cache.getMany([...keys]),
      invalidate: (key) => cache.delete(key),
      invalidateTag: (name) => cache.tags.invalidateTag(name),
      hitCount: () => cache.stats.hits,
    });
  },
};
