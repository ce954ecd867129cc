import { countingLoad, longTtl, type Row } from "../row.js";

export const oneLoad: Row = {
  title: "100 readers of one missing key: loads",
  fusionCache: { outcome: "1", page: "CacheStampede" },
  async run(library) {
    const { load, calls } = countingLoad((key) => key);
    const cache = await library.open({ tiers: "memory", ttl: longTtl, load });
    await Promise.all(Array.from({ length: 100 }, () => cache.get("key")));
    return String(calls.length);
  },
};
