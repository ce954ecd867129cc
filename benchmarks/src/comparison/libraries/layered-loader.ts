import { Redis } from "ioredis";
import { createNotificationPair, HitStatisticsRecord, Loader, RedisCache } from "layered-loader";
import { type Cache, ioredisOptions, type Library, type SetUp } from "../library.js";

/**
 * The README's "Simplified loader syntax", "Update notifications", "Cache statistics" and "Preemptive background refresh".
 * For a Redis in trouble it has `timeoutInMsecs`.
 */
export const layeredLoader: Library = {
  name: "layered-loader",
  packages: ["layered-loader", "ioredis"],
  lacks: ["tags", "signal"],
  async open(setUp: SetUp): Promise<Cache> {
    const { tiers, ttl, load, loadAll, refreshAt, bus, prepared } = setUp;
    const refresh = refreshAt === undefined ? {} : { ttlLeftBeforeRefreshInMsecs: refreshAt };
    const record = new HitStatisticsRecord();
    const pair = bus
      ? createNotificationPair<unknown>({
          channel: "values",
          consumerRedis: ioredisOptions(setUp),
          publisherRedis: ioredisOptions(setUp),
        })
      : undefined;
    const loader = new Loader<unknown>({
      ...(tiers === "redis"
        ? {}
        : {
            inMemoryCache: {
              cacheId: "values",
              cacheType: "lru-object-statistics" as const,
              globalStatisticsRecord: record,
              ttlInMsecs: ttl,
              maxItems: 10_000,
              ...refresh,
            },
          }),
      ...(tiers === "memory"
        ? {}
        : {
            asyncCache: new RedisCache<unknown>(new Redis(ioredisOptions(setUp)), {
              json: true,
              ttlInMsecs: ttl,
              ...(prepared ? { timeoutInMsecs: 1000 } : {}),
            }),
          }),
      dataSourceGetOneFn: load,
      dataSourceGetManyFn: loadAll ?? ((keys) => Promise.all(keys.map(load))),
      // `getMany` needs the key of a value: the rows that use it load the key itself.
      cacheKeyFromValueResolver: String,
      ...(pair ? { notificationConsumer: pair.consumer, notificationPublisher: pair.publisher } : {}),
    });
    await loader.init();
    return {
      get: (key) => loader.get(key),
      getMany: (keys) => loader.getMany([...keys]),
      invalidate: (key) => loader.invalidateCacheFor(key),
      hitCount: () => Object.values(record.records["values"] ?? {}).reduce((sum, { hits }) => sum + hits, 0),
    };
  },
};
