import { longTtl, outcomeOf, type Row } from "../row.js";

export const loadWithoutEnd: Row = {
  title: "a load never ends, its timeout is 1 s: the reader",
  fusionCache: { outcome: "error in time, with a hard timeout", page: "Timeouts" },
  async run(library) {
    const cache = await library.open({
      tiers: "memory",
      ttl: longTtl,
      load: () => new Promise(() => {}),
      loadTimeout: 1000,
    });
    return outcomeOf(cache.get("key"), String, () => "error in time");
  },
};
