import { countingLoad, longTtl, openAll, type Row, startRedis } from "../row.js";

/** Values that a library may take for a miss. */
const values = [null, undefined, 0, false, ""];

export const nothing: Row = {
  title: 'null, undefined, 0, false, "": loaded once for 2 reads and 1 in another instance',
  fusionCache: { outcome: "not documented", page: "CoreMethods" },
  async run(library) {
    const { url } = await startRedis();
    const kept: string[] = [];
    const changed: string[] = [];
    for (const value of values) {
      const name = JSON.stringify(value) ?? "undefined";
      const { load, calls } = countingLoad(() => value, 0);
      const caches = await openAll(library, 2, { tiers: "both", redisUrl: url, ttl: longTtl, load });
      const reads: unknown[] = [];
      for (const index of [0, 0, 1]) {
        const read = caches[index]?.get(`value-${name}`) ?? Promise.reject(new Error("no such instance"));
        reads.push(await read.catch((error: unknown) => error));
      }
      if (reads.some((read) => read !== value)) changed.push(name);
      else if (calls.length === 1) kept.push(name);
    }
    const words = kept.length === values.length ? "all" : kept.join(", ") || "none";
    return changed.length === 0 ? words : `${words}; changed: ${changed.join(", ")}`;
  },
};
