import { EventEmitter } from "node:events";
import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { redisBusDriver, redisDriver } from "bentocache/drivers/redis";
import { type Cache, ioredisOptions, type Library, type SetUp } from "../library.js";

/**
 * The documentation's "Multi-tier", "Grace periods", "Timeouts", "Tags" and "Options". For a Redis in trouble it has
 * `l2CircuitBreakerDuration`.
 */
export const bentocache: Library = {
  name: "bentocache",
  packages: ["bentocache", "ioredis"],
  lacks: ["signal"],
  open(setUp: SetUp): Promise<Cache> {
    const { tiers, ttl, load, staleFor, loadTimeout, tag, bus, prepared } = setUp;
    const store = bentostore();
    if (tiers !== "redis") store.useL1Layer(memoryDriver({ maxItems: 10_000 }));
    if (tiers !== "memory") store.useL2Layer(redisDriver({ connection: ioredisOptions(setUp) }));
    if (bus) store.useBus(redisBusDriver({ connection: ioredisOptions(setUp) }));
    const emitter = new EventEmitter();
    let hits = 0;
    emitter.on("cache:hit", () => hits++);
    const bento = new BentoCache({
      default: "cache",
      stores: { cache: store },
      emitter,
      ttl,
      ...(staleFor === undefined ? {} : { grace: staleFor }),
      ...(loadTimeout === undefined ? {} : { hardTimeout: loadTimeout }),
      ...(prepared ? { l2CircuitBreakerDuration: "30s" } : {}),
    });
    return Promise.resolve({
      get: (key) =>
        bento.getOrSet({ key, factory: () => load(key), ...(tag === undefined ? {} : { tags: [tag] }) }),
      invalidate: (key) => bento.delete({ key }),
      invalidateTag: (name) => bento.deleteByTag({ tags: [name] }),
      hitCount: () => hits,
    });
  },
};
