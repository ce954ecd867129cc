import { isDeepStrictEqual } from "node:util";
import { longTtl, openAll, type Row, startRedis } from "../row.js";

const values: Readonly<Record<string, unknown>> = {
  Date: new Date("2026-11-30T12:00:00Z"),
  Map: new Map([["a", 1]]),
  Set: new Set([1, 2]),
  bigint: 12n,
  bytes: Uint8Array.of(1, 2, 255),
  NaN: Number.NaN,
};

/** A cache may refuse keys such as "NaN", which are mistakes in most programs. */
const prefix = "value-";

export const typesOfValues: Row = {
  title: "Date, Map, Set, bigint, bytes, NaN through Redis: kept",
  fusionCache: { outcome: "by the serializer that you choose", page: "CacheLevels" },
  async run(library) {
    const { url } = await startRedis();
    const load = async (key: string): Promise<unknown> => ({ field: values[key.slice(prefix.length)] });
    const setUp = { tiers: "both", redisUrl: url, ttl: longTtl, load } as const;
    const [writer, reader] = await openAll(library, 2, {
      ...setUp,
      load: (key) => (loads++ < 1 ? load(key) : Promise.reject(new Error("not stored"))),
    });
    let loads = 0;
    const kept: string[] = [];
    const refused: string[] = [];
    for (const [name, value] of Object.entries(values)) {
      loads = 0;
      try {
        await writer?.get(prefix + name);
        if (isDeepStrictEqual(await reader?.get(prefix + name), { field: value })) kept.push(name);
      } catch {
        refused.push(name);
      }
    }
    const rest = refused.length === 0 ? "" : `; not stored: ${refused.join(", ")}`;
    return `${kept.length === Object.keys(values).length ? "all" : kept.join(", ") || "none"}${rest}`;
  },
};
