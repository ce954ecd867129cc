import { openAdvised, outcomeOf, type Row, startRedis } from "../row.js";

export const redisGone: Row = {
  title: "Redis cannot be reached: an invalidation",
  fusionCache: { outcome: "resolves, repeated later", page: "AutoRecovery" },
  async run(library) {
    const redis = await startRedis();
    const proxy = await redis.proxy();
    const cache = await openAdvised(library, proxy.url);
    await cache.get("key");
    await proxy.refuse();
    return outcomeOf(
      cache.invalidate("key"),
      () => "resolves",
      () => "rejects",
    );
  },
};
