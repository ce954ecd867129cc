/** A measured cache, with the two methods that all libraries have. */
export interface Subject {
  get(key: string): unknown;
  set(key: string, value: number): void;
}

/**
 * Creates a cache of at most `size` entries. A library is imported only in the process that
 * measures it.
 */
type Maker = (size: number) => Promise<Subject>;

/** The measured caches, by their names in the tables. The others are divided by the first. */
export const subjects: Readonly<Record<string, Maker>> = {
  "lru-cache": async (size) => {
    const { LRUCache } = await import("lru-cache");
    const cache = new LRUCache<string, number>({ max: size });
    return { get: (key) => cache.get(key), set: (key, value) => void cache.set(key, value) };
  },
  "@cacheme/memory": (size) => cacheme(size, undefined),
  "@cacheme/memory (lru)": (size) => cacheme(size, "lru"),
  transitory: async (size) => {
    const { BoundedCache } = await import("transitory");
    const cache = new BoundedCache<string, number>({ maxSize: size });
    return { get: (key) => cache.getIfPresent(key), set: (key, value) => void cache.set(key, value) };
  },
  "quick-lru": async (size) => {
    const { default: QuickLRU } = await import("quick-lru");
    const cache = new QuickLRU<string, number>({ maxSize: size });
    return { get: (key) => cache.get(key), set: (key, value) => void cache.set(key, value) };
  },
  mnemonist: async (size) => {
    const { LRUCache } = await import("mnemonist");
    const cache = new LRUCache<string, number>(size);
    return { get: (key) => cache.get(key), set: (key, value) => void cache.set(key, value) };
  },
  Map: async (size) => {
    // The simplest bounded Map: first in, first out, with its keys in a ring.
    const cache = new Map<string, number>();
    const ring: string[] = [];
    let oldest = 0;
    const set = (key: string, value: number): void => {
      const before = cache.size;
      cache.set(key, value);
      if (cache.size === before) return;
      if (before < size) {
        ring.push(key);
        return;
      }
      cache.delete(ring[oldest] ?? "");
      ring[oldest] = key;
      oldest = oldest + 1 === size ? 0 : oldest + 1;
    };
    return { get: (key) => cache.get(key), set };
  },
};

async function cacheme(size: number, policy: "lru" | undefined): Promise<Subject> {
  const { BoundedCache } = await import("@cacheme/memory");
  const cache = new BoundedCache<string, number>({ maxSize: size, policy });
  return { get: (key) => cache.get(key), set: (key, value) => void cache.set(key, value) };
}
