import type { Cache } from "../library.js";
import { longTtl, outcomeOf, type Row } from "../row.js";

export const loadOfItself: Row = {
  title: "a load reads its own key: the reader",
  fusionCache: { outcome: "not documented", page: "CacheStampede" },
  async run(library) {
    const cache: Cache = await library.open({ tiers: "memory", ttl: longTtl, load: (key) => cache.get(key) });
    return outcomeOf(cache.get("key"), String, () => "error");
  },
};
