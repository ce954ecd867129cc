import { countingLoad, longTtl, type Row, startRedis } from "../row.js";

export const tags: Row = {
  title: "100 keys with one tag, which is invalidated: keys that load again",
  needs: "tags",
  fusionCache: { outcome: "100", page: "Tagging" },
  async run(library) {
    const { url } = await startRedis();
    const { load, calls } = countingLoad((key) => key, 0);
    const cache = await library.open({ tiers: "both", redisUrl: url, ttl: longTtl, load, tag: "team" });
    const keys = Array.from({ length: 100 }, (_, index) => `key${index}`);
    for (const key of keys) await cache.get(key);
    calls.length = 0;
    await cache.invalidateTag?.("team");
    for (const key of keys) await cache.get(key);
    return String(calls.length);
  },
};
