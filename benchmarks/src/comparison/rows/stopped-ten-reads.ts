import { setTimeout as sleep } from "node:timers/promises";
import { longTtl, type Row, startRedis } from "../row.js";

export const stoppedTenReads: Row = {
  title: "the same, and the Redis client has a timeout of 1 s: values from 10 reads in turn, in 10 s",
  fusionCache: { outcome: "timeouts and a circuit breaker", page: "StepByStep" },
  async run(library) {
    const redis = await startRedis();
    const setUp = { tiers: "both", redisUrl: redis.url, ttl: longTtl } as const;
    const cache = await library.open({
      ...setUp,
      prepared: "with client timeouts",
      load: async (key) => key,
    });
    await cache.get("warm");
    await redis.pause();
    let values = 0;
    let errors = 0;
    const reads = async (): Promise<void> => {
      while (values + errors < 10) {
        await cache.get(`key${values + errors}`).then(
          () => values++,
          () => errors++,
        );
      }
    };
    await Promise.race([reads(), sleep(10_000)]);
    await redis.resume();
    return errors === 0 ? String(values) : `${values}, and ${errors} errors`;
  },
};
