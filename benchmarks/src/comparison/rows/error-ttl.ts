import { countingLoad, longTtl, type Row } from "../row.js";

export const errorTtl: Row = {
  title: "the source fails, errors are to be kept: loads for 3 reads in turn",
  fusionCache: { outcome: "not documented", page: "FailSafe" },
  async run(library) {
    const { load, calls } = countingLoad(() => {
      throw new Error("down");
    }, 0);
    const cache = await library.open({ tiers: "memory", ttl: longTtl, load, errorTtl: longTtl });
    for (let read = 0; read < 3; read++) await cache.get("key").catch(() => {});
    return String(calls.length);
  },
};
