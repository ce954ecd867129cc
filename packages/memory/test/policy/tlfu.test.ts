import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoundedCache } from "../../src/index.js";
import { checkCache } from "../check/cache.js";
import { seeded } from "../support/random.js";
import { VirtualClock } from "../support/virtual-clock.js";

function cacheOf(maxSize: number, seed = 1): BoundedCache<string, number> {
  return new BoundedCache({ maxSize, policy: "tlfu", random: seeded(seed) });
}

/** Reads a key as an application does: `get`, and on a miss `set`. Returns whether it was a hit. */
function read(cache: BoundedCache<string, number>, key: number): boolean {
  if (cache.get(`k${key}`) !== undefined) return true;
  cache.set(`k${key}`, key);
  return false;
}

function hits(cache: BoundedCache<string, number>, keys: Iterable<number>): number {
  let count = 0;
  for (const key of keys) if (read(cache, key)) count++;
  return count;
}

function* times(n: number, keys: () => Iterable<number>): Iterable<number> {
  for (let round = 0; round < n; round++) yield* keys();
}

function* range(from: number, to: number): Iterable<number> {
  for (let key = from; key < to; key++) yield key;
}

/**
 * Yields keys by Zipf's law with exponent 1: the most popular are about a thousand times as
 * frequent as the median.
 */
function* zipf(count: number, keys: number, seed: number): Iterable<number> {
  const random = seeded(seed);
  for (let n = 0; n < count; n++) yield Math.floor(keys ** (random() / 2 ** 32));
}

describe("tlfu", () => {
  it("keeps popular entries through a scan of keys that come once", () => {
    const cache = cacheOf(100);
    hits(
      cache,
      times(5, () => range(0, 50)),
    );
    hits(cache, range(1_000, 6_000));
    const kept = [...range(0, 50)].filter((key) => cache.peek(`k${key}`) !== undefined);
    expect(kept.length).toBeGreaterThanOrEqual(48);
  });

  it("keeps a part of a loop that is larger than the cache", () => {
    const cache = cacheOf(250);
    const found = hits(
      cache,
      times(100, () => range(0, 1_000)),
    );
    expect(found / 100_000).toBeGreaterThan(0.22);
  });

  it("adapts to a workload that rereads only new keys, far beyond its window", () => {
    const cache = cacheOf(1_000);
    hits(cache, zipf(50_000, 20_000, 7));
    const recent = function* (): Iterable<number> {
      for (let key = 100_000; key < 120_000; key++) yield* [key, key - 150];
    };
    expect(hits(cache, recent()) / 20_000).toBeGreaterThan(0.9);
  });

  it("forgets keys that were popular once", () => {
    const cache = cacheOf(200);
    hits(
      cache,
      times(50, () => range(0, 200)),
    );
    const found = hits(
      cache,
      times(50, () => range(1_000, 1_150)),
    );
    expect(found).toBeGreaterThan(50 * 150 * 0.6);
  });

  it("sometimes admits a newcomer that loses every duel, so that no entries are pinned", () => {
    const cache = cacheOf(64);
    for (const _ of range(0, 40)) hits(cache, range(0, 64));
    hits(
      cache,
      times(400, () => range(100, 164)),
    );
    const pinned = [...range(0, 64)].filter((key) => cache.peek(`k${key}`) !== undefined);
    expect(pinned.length).toBeLessThan(16);
  });

  it.each([1, 2, 3])("stores %i of the entries set last or hit, and never more", (maxSize) => {
    const cache = cacheOf(maxSize);
    for (const key of zipf(2_000, 20, 5)) {
      read(cache, key);
      expect(cache.size).toBeLessThanOrEqual(maxSize);
      checkCache(cache);
    }
    expect(cache.size).toBe(maxSize);
  });

  it.each([1, 2, 3, 5, 20, 100, 400])("of %i entries never evicts the entry that was just set", (maxSize) => {
    const cache = cacheOf(maxSize);
    for (const key of zipf(20_000, maxSize * 10, 9)) {
      read(cache, key);
      // Read once more, as by a caller that just stored the value, so that the entries of the
      // window are touched.
      expect(cache.get(`k${key}`)).toBe(key);
    }
  });

  it("divides its actual weight, not maxWeight, if the number of entries is the limit", () => {
    const ratio = (maxWeight: number) => {
      const cache = new BoundedCache<string, number>({ maxSize: 500, maxWeight, random: seeded(1) });
      const random = seeded(5);
      let found = 0;
      for (let i = 0; i < 100_000; i++) {
        // One key in two comes only once.
        if (i % 2 === 0) read(cache, 1_000_000 + i);
        else if (read(cache, Math.floor(2_000 * (random() / 2 ** 32) ** 3))) found++;
      }
      return found / 50_000;
    };
    const alone = ratio(Number.POSITIVE_INFINITY);
    expect(alone).toBeGreaterThan(0.5);
    for (const maxWeight of [500, 5_000, 1e9]) expect(ratio(maxWeight)).toBeGreaterThan(alone - 0.03);
  });

  it("rejects an entry that is heavier than its window and read less than its victims", () => {
    const removed: number[] = [];
    const cache = new BoundedCache<string, number>({
      maxWeight: 100,
      random: seeded(1),
      onRemoval: ({ value, cause }) => void (cause === "size" && removed.push(value)),
    });
    for (const key of range(0, 50)) cache.set(`k${key}`, key, { weight: 2 });
    hits(
      cache,
      times(5, () => range(0, 50)),
    );
    expect([cache.set("heavy", -1, { weight: 60 }), cache.peek("heavy")]).toEqual([true, undefined]);
    expect(removed).toEqual([-1]);
    checkCache(cache);
  });

  it("grows towards 2^24 entries as they come", () => {
    const cache = cacheOf(2 ** 24);
    hits(cache, range(0, 5_000));
    expect(cache.size).toBe(5_000);
    checkCache(cache);
  });

  it("evicts heavy entries first, if they are as popular as light ones", () => {
    const cache = new BoundedCache<string, number>({ maxWeight: 2_000, policy: "tlfu", random: seeded(1) });
    const isLight = (key: number): boolean => key % 2 === 0;
    for (const key of zipf(50_000, 2_000, 4)) {
      if (cache.get(`k${key}`) === undefined) cache.set(`k${key}`, key, { weight: isLight(key) ? 1 : 20 });
    }
    const kept = [...range(0, 2_000)].filter((key) => cache.peek(`k${key}`) !== undefined);
    expect(kept.filter(isLight).length).toBeGreaterThan(kept.length * 0.6);
    checkCache(cache);
  });

  it("stays consistent through every operation, with weights, expiry and new limits", () => {
    const step = fc.record({
      kind: fc.constantFrom("read", "read", "read", "read", "set", "delete", "resize", "clear"),
      key: fc.nat(40),
      weight: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 60 }), (steps, maxWeight) => {
        const cache = new BoundedCache<string, number>({ maxWeight, maxSize: 30, random: seeded(maxWeight) });
        for (const { kind, key, weight } of steps) {
          if (kind === "read" && cache.get(`k${key}`) === undefined) cache.set(`k${key}`, key, { weight });
          else if (kind === "set") cache.set(`k${key}`, weight, { weight });
          else if (kind === "delete") cache.delete(`k${key}`);
          else if (kind === "resize") cache.resize(key + 1, maxWeight);
          else if (kind === "clear" && weight === 0) cache.clear();
          checkCache(cache);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("keeps every entry's own deadline, whichever entry wins the duels", () => {
    const clock = new VirtualClock();
    const random = seeded(7);
    const cache = new BoundedCache<string, number>({ maxSize: 60, clock, random: seeded(8) });
    const ends = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      // Squaring a random number makes some keys frequent, and these win their duels.
      const key = `k${Math.floor((random() / 2 ** 32) ** 2 * 400)}`;
      const ttl = random() % 3 === 0 ? Number.POSITIVE_INFINITY : 1 + (random() % 100_000);
      cache.set(key, i, { ttl, now: random() % 2 === 0 ? clock.time : undefined });
      ends.set(key, clock.time + ttl);
      if (i % 16 === 0) checkCache(cache);
      if (i % 4 === 0) clock.advance(random() % 20);
    }
    const left = [...cache].map(([key]) => [key, cache.inspect(key)?.remaining]);
    expect(left.length).toBeGreaterThan(50);
    expect(left).toEqual(left.map(([key]) => [key, (ends.get(String(key)) ?? 0) - clock.time]));
  });

  it("repeats a stored sequence of decisions from a seed", () => {
    const evicted: string[] = [];
    const cache = new BoundedCache<string, number>({
      maxSize: 300,
      policy: "tlfu",
      random: seeded(42),
      onRemoval: ({ key }) => void evicted.push(key),
    });
    hits(cache, zipf(20_000, 5_000, 9));
    hits(
      cache,
      times(10, () => range(0, 500)),
    );
    hits(cache, zipf(20_000, 5_000, 10));
    expect(evicted.slice(0, 6)).toEqual(["k1939", "k145", "k792", "k18", "k235", "k1037"]);
    expect({
      evictions: evicted.length,
      hits: cache.stats().hits,
      digest: createHash("sha256").update(evicted.join()).digest("hex").slice(0, 16),
    }).toEqual({ evictions: 16_198, hits: 28_502, digest: "c237d9ead8fdce21" });
  });
});
