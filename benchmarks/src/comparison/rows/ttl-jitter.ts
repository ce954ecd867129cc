import { Redis } from "ioredis";
import { longTtl, type Row, startRedis } from "../row.js";

export const ttlJitter: Row = {
  title: "100 keys stored at once: they expire at different times",
  fusionCache: { outcome: "yes, with JitterMaxDuration", page: "Options" },
  async run(library) {
    const { url } = await startRedis();
    const setUp = { tiers: "both", redisUrl: url, ttl: longTtl, load: async (key: string) => key } as const;
    const cache = await library.open(setUp);
    await Promise.all(Array.from({ length: 100 }, (_, index) => cache.get(`key${index}`)));
    const client = new Redis(url);
    const keys = await client.keys("*key*");
    const ttls = await Promise.all(keys.map((key) => client.pttl(key)));
    client.disconnect();
    if (keys.length < 100) return `${keys.length} keys stored`;
    // A slow machine may take seconds to store them: a jitter worth having is a share of the ttl.
    return Math.max(...ttls) - Math.min(...ttls) > longTtl / 50 ? "yes" : "no";
  },
};
