import { describe, expect, it } from "vitest";
import { BoundedCache } from "../../src/index.js";
import { checkCache } from "../check/cache.js";
import { seeded } from "../support/random.js";
import { VirtualClock } from "../support/virtual-clock.js";

const NO_LIMIT = 2 ** 24;
const POLICIES = ["tlfu", "lru", "lfu", "fifo"] as const;

/**
 * Creates a full cache of entries that weigh 1 each. Its clock does not move, so no timer helps.
 */
function fullCache(policy: (typeof POLICIES)[number], maxWeight: number): BoundedCache<string, number> {
  const clock = new VirtualClock();
  const cache = new BoundedCache<string, number>({ maxWeight, policy, clock, random: seeded(1) });
  for (let i = 0; i < maxWeight; i++) cache.set(`k${i}`, i);
  return cache;
}

describe("after a resize below the current size", () => {
  it.each(POLICIES)("no set increases the excess, however heavy its entry: %s", (policy) => {
    const cache = fullCache(policy, 5_000);
    cache.resize(NO_LIMIT, 1_000);
    let before = cache.weight;
    expect(before).toBeGreaterThan(1_000);
    for (let i = 0; cache.weight > 1_000; i++) {
      cache.set(`heavy${i}`, i, { weight: 900 });
      expect(cache.weight).toBeLessThan(before);
      before = cache.weight;
      if (i % 8 === 0) checkCache(cache);
    }
  });

  it.each(POLICIES)("no set exceeds limits that deletes or a resize restored: %s", (policy) => {
    const emptied = fullCache(policy, 5_000);
    emptied.resize(NO_LIMIT, 1_000);
    for (let i = 0; i < 5_000; i++) emptied.delete(`k${i}`);
    for (let i = 0; i < 1_000; i++) emptied.set(`n${i}`, i);
    emptied.set("heavy", 1, { weight: 1_000 });
    expect(emptied.weight).toBeLessThanOrEqual(1_000);

    const widened = fullCache(policy, 5_000);
    widened.resize(NO_LIMIT, 1_000);
    widened.resize(NO_LIMIT, 5_000);
    widened.set("heavy", 1, { weight: 4_000 });
    expect(widened.weight).toBeLessThanOrEqual(5_000);
  });

  it.each(POLICIES)("every set evicts more, even if the number of entries is at its limit: %s", (policy) => {
    const clock = new VirtualClock();
    const cache = new BoundedCache<string, number>({ maxSize: 5_000, policy, clock });
    for (let i = 0; i < 5_000; i++) cache.set(`k${i}`, i);
    cache.resize(4_488, 100);
    expect(cache.size).toBe(4_488);
    for (let i = 0; i < 200; i++) cache.set(`n${i}`, i);
    expect(cache.weight).toBe(100);
    checkCache(cache);
  });
});
