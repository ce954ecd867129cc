import { countingLoad, longTtl, type Row } from "../row.js";

const keys = Array.from({ length: 100 }, (_, index) => `key${index}`);

export const sourceCalls: Row = {
  title: "100 missing keys, a source that can load many: its calls (in one read of many)",
  fusionCache: { outcome: "not documented", page: "CoreMethods" },
  async run(library) {
    const { load, calls } = countingLoad((key) => key, 0);
    let batches = 0;
    const loadAll = (wanted: readonly string[]): Promise<unknown[]> => {
      batches++;
      return Promise.resolve([...wanted]);
    };
    const setUp = { tiers: "memory", ttl: longTtl, load, loadAll } as const;
    const cache = await library.open(setUp);
    await Promise.all(keys.map((key) => cache.get(key)));
    const single = calls.length + batches;
    calls.length = 0;
    batches = 0;
    const other = await library.open(setUp);
    await other.getMany?.(keys);
    // Some libraries read many keys in one call, without loading.
    if (calls.length + batches === 0) return String(single);
    return `${single} (${calls.length + batches})`;
  },
};
