import { describe, expect, it } from "vitest";
import { BoundedCache } from "../../src/index.js";
import { checkCache } from "../check/cache.js";
import { collect } from "../support/collect.js";
import { Model } from "../support/model.js";
import { seeded } from "../support/random.js";
import { VirtualClock } from "../support/virtual-clock.js";

function bytesUsed(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const HOUR = 3_600_000;

/**
 * Repeats each policy twenty times with different seeds, so that each test is short even on a busy
 * machine.
 */
function inTwentieths<P>(policies: readonly P[]): [policy: P, twentieth: number][] {
  return policies.flatMap((policy) =>
    Array.from({ length: 20 }, (_, index): [P, number] => [policy, index + 1]),
  );
}

describe("a virtual year", () => {
  it.each(["tlfu", "lru", "fifo", "lfu"] as const)(
    "leaves the heap as flat as its second month: %s",
    (policy) => {
      const clock = new VirtualClock();
      const random = seeded(3);
      const cache = new BoundedCache<string, string>({
        maxSize: 2_000,
        maxWeight: 30_000,
        policy,
        clock,
        random,
      });
      const months: number[] = [];
      for (let hour = 4; hour <= 365 * 24; hour += 4) {
        for (let i = 0; i < 24; i++) {
          const key = `key:${random() % 5_000}`;
          if (cache.getIn(random() % 3, key) !== undefined) continue;
          const ttl = random() % 4 === 0 ? undefined : 1 + (random() % (300 * HOUR));
          cache.setIn(random() % 3, key, `${hour}`, { ttl, weight: random() % 40 });
        }
        clock.advance(4 * HOUR);
        if (hour % (730 * 2) === 0) {
          checkCache(cache);
          months.push(bytesUsed());
        }
      }
      const [second = 0] = months;
      expect(Math.max(...months) - second).toBeLessThan(500_000);
    },
  );
});

describe("a million operations", () => {
  it.each(inTwentieths(["lru", "fifo"] as const))(
    "agree with the naive model: %s, twentieth %i",
    (policy, twentieth) => {
      const never = Number.POSITIVE_INFINITY;
      const random = seeded(11 * twentieth);
      const model = new Model({ policy, maxSize: 500, maxWeight: never, ttl: never, idle: never });
      const evicted: string[] = [];
      const cache = new BoundedCache<string, number>({
        maxSize: 500,
        policy,
        random: seeded(12),
        onRemoval: ({ key, cause }) => void (cause === "size" && evicted.push(key)),
      });
      for (let i = 0; i < 50_000; i++) {
        const key = `k${Math.min(random() % 900, random() % 900)}`;
        const value = cache.get(key);
        if (value !== model.get(key, 0)) throw new Error(`${key} differs at step ${i}`);
        if (value === undefined) {
          cache.set(key, i);
          model.set(key, i, 1, undefined, 0);
          if (model.held.size > 500) {
            const victim = model.held.keys().next().value ?? "";
            if (evicted.at(-1) !== victim)
              throw new Error(`${evicted.at(-1)} was evicted, not ${victim}, at step ${i}`);
            model.held.delete(victim);
          }
          evicted.length = 0;
        }
        if (i % 25_000 === 0) checkCache(cache);
      }
      expect(cache.size).toBe(500);
    },
  );

  it.each(inTwentieths(["tlfu", "lru", "fifo", "lfu"] as const))(
    "of every kind leave the structure consistent: %s, twentieth %i",
    (policy, twentieth) => {
      const clock = new VirtualClock();
      const random = seeded(5 * twentieth);
      const cache = new BoundedCache<string | number, number>({
        maxSize: 3_000,
        idle: 90_000,
        policy,
        clock,
        random,
      });
      for (let i = 0; i < 50_000; i++) {
        const number = random() % 6_000;
        const key = number % 5 === 0 ? number : `k${number}`;
        const choice = random() % 16;
        if (choice < 7) cache.get(key);
        else if (choice < 14) cache.set(key, i, choice === 7 ? { ttl: 1 + (random() % 100_000) } : undefined);
        else if (choice === 14) cache.delete(key);
        else clock.advance(random() % 30);
        if (i % 25_000 === 24_999) cache.resize(1 + (random() % 6_000));
        if (i % 20_000 === 0) checkCache(cache);
      }
      checkCache(cache);
      expect(cache.size).toBeGreaterThan(0);
    },
  );
});
