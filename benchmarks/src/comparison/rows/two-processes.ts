import { countingLoad, longTtl, openAll, type Row, startRedis } from "../row.js";

export const twoProcesses: Row = {
  title: "the same in 2 instances that share Redis: loads",
  fusionCache: { outcome: "1, with a distributed locker", page: "CacheStampede" },
  async run(library) {
    const { url } = await startRedis();
    const { load, calls } = countingLoad((key) => key);
    const caches = await openAll(library, 2, { tiers: "both", redisUrl: url, ttl: longTtl, load });
    await Promise.all(caches.flatMap((cache) => Array.from({ length: 100 }, () => cache.get("key"))));
    return String(calls.length);
  },
};
