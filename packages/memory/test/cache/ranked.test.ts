import { describe, expect, it } from "vitest";
import { BoundedCache, type EvictionPolicy, type PolicyName, type RankedEntry } from "../../src/index.js";
import { checkCache } from "../check/cache.js";
import { seeded } from "../support/random.js";
import { VirtualClock } from "../support/virtual-clock.js";

const POLICIES: readonly PolicyName[] = ["tlfu", "lru", "lfu", "fifo"];

/** Creates a full cache whose low keys were read most. */
function usedCache(policy: PolicyName, maxSize = 500): BoundedCache<string, number> {
  const cache = new BoundedCache<string, number>({ maxSize, policy, random: seeded(1) });
  const random = seeded(2);
  for (let i = 0; i < 20 * maxSize; i++) {
    const key = Math.floor((random() / 2 ** 32) ** 4 * 3 * maxSize);
    if (cache.getIn(key % 3, `k${key}`) === undefined) cache.setIn(key % 3, `k${key}`, key);
  }
  return cache;
}

function copyOf(entries: readonly RankedEntry<string, number>[], policy: PolicyName, maxSize = 500) {
  const copy = new BoundedCache<string, number>({ maxSize, policy, random: seeded(3) });
  for (const { space, key, value, standing } of entries.toReversed())
    copy.restoreIn(space, key, value, standing);
  return copy;
}

/** The new cache has not learned how large the window should be, so some of its entries moved on. */
function ranked({ space, key, value, standing }: RankedEntry<string, number>, place: number) {
  const isProtected = standing.segment === 2;
  return { space, key, value, frequency: standing.frequency, place, isProtected };
}

describe("a cache restored from another's ranked entries", () => {
  it.each(POLICIES)("has the entries, their order and their frequencies: %s", (policy) => {
    const entries = [...usedCache(policy).ranked()];
    const copy = copyOf(entries, policy);
    checkCache(copy);
    expect(entries).toHaveLength(500);
    expect([...copy.ranked()].map(ranked)).toEqual(entries.map(ranked));
  });

  it.each(POLICIES)("evicts what the other one would have evicted: %s", (policy) => {
    const cache = usedCache(policy);
    const copy = copyOf([...cache.ranked()], policy);
    for (const each of [cache, copy])
      for (let i = 0; i < 50; i++) {
        each.set(`new${i}`, i);
        checkCache(each);
      }
    const kept = (from: typeof cache) => new Set(Array.from(from.ranked(), ({ key }) => key));
    const both = [...kept(cache)].filter((key) => kept(copy).has(key));
    expect(both.length).toBeGreaterThan(480);
  });

  it("protects the entries that were read most, if only a part is restored", () => {
    const entries = [...usedCache("tlfu").ranked()].slice(0, 100);
    const copy = copyOf(entries, "tlfu", 200);
    for (let i = 0; i < 2_000; i++) copy.set(`scan${i}`, i);
    checkCache(copy);
    const kept = entries.slice(0, 50).filter(({ space, key }) => copy.hasIn(space, key));
    expect(kept.length).toBeGreaterThan(45);
  });
});

describe("ranked", () => {
  it("yields keys, spaces, values and weights, and skips expired entries", () => {
    const clock = new VirtualClock();
    const cache = new BoundedCache<string, number>({ maxWeight: 10, clock });
    cache.setIn(1, "a", 1, { weight: 3 });
    cache.setIn(2, "b", 2, { ttl: 10 });
    const ranked = cache.ranked();
    clock.advance(10);
    expect([...ranked]).toEqual([
      { space: 1, key: "a", value: 1, weight: 3, standing: { frequency: 1, segment: expect.any(Number) } },
    ]);
  });

  it("goes on while entries are removed and added, and never yields a removed one", () => {
    const cache = usedCache("tlfu");
    const removed = new Set<string>();
    for (const { space, key } of cache.ranked()) {
      expect(removed.has(key)).toBe(false);
      for (const other of [key, `k${Number(key.slice(1)) + 3}`]) {
        cache.deleteIn(space, other);
        removed.add(other);
      }
      checkCache(cache);
    }
    expect(cache.size).toBe(0);
  });

  it("yields every entry of a custom policy", () => {
    const policy: EvictionPolicy<string> = {
      onInsert() {},
      onAccess() {},
      onRemove() {},
      victim: () => 0,
    };
    const cache = new BoundedCache<string, number>({ maxSize: 10, policy });
    for (let i = 0; i < 5; i++) cache.set(`k${i}`, i);
    expect(Array.from(cache.ranked(), ({ key }) => key).toSorted()).toEqual(["k0", "k1", "k2", "k3", "k4"]);
    expect(cache.restoreIn(0, "more", 1, { frequency: 9, segment: 2 })).toBe(true);
    expect(cache.get("more")).toBe(1);
  });
});
