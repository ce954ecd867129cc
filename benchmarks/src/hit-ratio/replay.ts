import { BoundedCache, type PolicyName } from "@cacheme/memory";
import { generator } from "../memory/sequence.js";
import type { Trace } from "./trace.js";

/**
 * Creates a function that reads a key through a cache (`get`, and `set` after a miss) and returns
 * whether it was a hit.
 */
type Reader = (capacity: number) => Promise<(key: string) => boolean>;

/** The other caches that can be replayed, besides our own policies. */
export const libraries: Readonly<Record<string, Reader>> = {
  "lru-cache": async (capacity) => {
    const { LRUCache } = await import("lru-cache");
    const cache = new LRUCache<string, true>({ max: capacity });
    return (key) => cache.get(key) !== undefined || !cache.set(key, true);
  },
  transitory: async (capacity) => {
    const { BoundedCache } = await import("transitory");
    const cache = new BoundedCache<string, true>({ maxSize: capacity });
    return (key) => {
      if (cache.getIfPresent(key) !== null) return true;
      cache.set(key, true);
      return false;
    };
  },
};

/** A policy of `BoundedCache`, with a seed that makes its decisions repeatable. */
export function ours(policy: PolicyName, seed: number): Reader {
  return async (capacity) => {
    const draw = generator(seed);
    const random = () => draw() * 2 ** 32;
    const cache = new BoundedCache<string, true>({ maxSize: capacity, policy, random });
    return (key) => {
      if (cache.get(key) !== undefined) return true;
      cache.set(key, true);
      return false;
    };
  };
}

/** Returns the hit ratio of a whole trace in percent, from an empty cache. */
export async function hitRatio(reader: Reader, trace: Trace, capacity: number): Promise<number> {
  const read = await reader(capacity);
  let hits = 0;
  for (const id of trace.ids) if (read(trace.keys[id] ?? "")) hits++;
  return (100 * hits) / trace.ids.length;
}
