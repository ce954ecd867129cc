import { countingLoad, longTtl, openAll, type Row, startRedis } from "../row.js";

const keys = Array.from({ length: 100 }, (_, index) => `key${index}`);

export const roundTrips: Row = {
  title: "the same: round trips to Redis",
  fusionCache: { outcome: "not documented", page: "CoreMethods" },
  async run(library) {
    const redis = await startRedis();
    const proxy = await redis.proxy();
    const { load } = countingLoad((key) => key, 0);
    const setUp = { tiers: "both", redisUrl: proxy.url, ttl: longTtl, load } as const;
    const [writer, reader] = await openAll(library, 2, setUp);
    await Promise.all(keys.map((key) => writer?.get(key)));
    await reader?.get("connected by now");
    proxy.resetCounts();
    await Promise.all(keys.map((key) => reader?.get(key)));
    return String(proxy.counts.roundTrips);
  },
};
