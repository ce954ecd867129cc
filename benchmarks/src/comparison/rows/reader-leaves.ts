import { countingLoad, longTtl, outcomeOf, type Row } from "../row.js";

export const readerLeaves: Row = {
  title: "1 of 2 readers aborts: it, and the other",
  needs: "signal",
  fusionCache: { outcome: "yes", page: "Comparison" },
  async run(library) {
    const { load, calls } = countingLoad((key) => `value of ${key}`, 200);
    const cache = await library.open({ tiers: "memory", ttl: longTtl, load });
    const abort = new AbortController();
    const leaving = outcomeOf(cache.get("key", abort.signal), String, () => "rejects");
    const staying = outcomeOf(cache.get("key"), () => "value");
    setImmediate(() => abort.abort());
    return `${await leaving}, ${await staying} (${calls.length} load)`;
  },
};
