import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { BoundedCache, type Removal } from "../../src/index.js";
import { checkCache } from "../check/cache.js";
import { VirtualClock } from "../support/virtual-clock.js";

describe("the removal listener", () => {
  it("gets the cause of every removal", () => {
    const clock = new VirtualClock();
    const removals: string[] = [];
    const cache = new BoundedCache<string, number>({
      maxSize: 2,
      policy: "lru",
      clock,
      onRemoval: ({ key, value, cause, space }) => removals.push(`${space}/${key}=${value} ${cause}`),
    });
    cache.set("a", 1);
    cache.set("a", 2);
    cache.set("b", 3);
    cache.setIn(7, "c", 4, { ttl: 10 });
    cache.delete("b");
    clock.skip(10);
    cache.getIn(7, "c");
    cache.set("d", 5);
    cache.clear();
    expect(removals).toEqual([
      "0/a=1 replaced",
      "0/a=2 size",
      "0/b=3 explicit",
      "7/c=4 expired",
      "0/d=5 cleared",
    ]);
  });

  it("finds the cache consistent and may use it", () => {
    const removals: string[] = [];
    const cache: BoundedCache<string, number> = new BoundedCache<string, number>({
      maxSize: 3,
      policy: "fifo",
      onRemoval({ key, value, cause }) {
        checkCache(cache);
        expect(cache.size).toBeLessThanOrEqual(3);
        removals.push(`${key} ${cause}`);
        if (cause === "size" && value < 3) cache.set(`again-${key}`, value + 1);
      },
    });
    for (const key of ["a", "b", "c", "d"]) cache.set(key, 0);
    checkCache(cache);
    expect(removals.slice(0, 4)).toEqual(["a size", "b size", "c size", "d size"]);
    expect(cache.size).toBe(3);
  });

  it("may be asynchronous: its rejections are reported", async () => {
    const errors: unknown[] = [];
    const cache = new BoundedCache<string, number>({
      maxSize: 1,
      onRemoval: async ({ key }) => {
        throw key;
      },
      onListenerError: (error) => errors.push(error),
    });
    cache.set("a", 1);
    cache.set("b", 2);
    await Promise.resolve();
    await Promise.resolve();
    expect([errors, cache.stats().listenerErrors]).toEqual([["a"], 1]);
  });

  it("may be an asynchronous function of another realm", async () => {
    const rejected: unknown = await new Promise((resolve) => {
      const cache = new BoundedCache<string, number>({
        maxSize: 1,
        onRemoval: runInNewContext("async ({ key }) => { throw key; }"),
        onListenerError: resolve,
      });
      cache.set("a", 1);
      cache.set("b", 2);
    });
    expect(rejected).toBe("a");
  });

  it("gets the key of a refused entry as it would have been stored", () => {
    const removals: unknown[] = [];
    const cache = new BoundedCache<number, number>({
      maxWeight: 1,
      onRemoval: ({ key }) => removals.push(key),
    });
    cache.set(-0, 1, { weight: 2 });
    expect(Object.is(removals[0], 0)).toBe(true);
  });

  it("may throw: every removal and error is reported, and the cache stays consistent", () => {
    const errors: unknown[] = [];
    const removals: Removal<string, number>[] = [];
    const cache = new BoundedCache<string, number>({
      maxWeight: 10,
      policy: "lru",
      onRemoval(removal) {
        removals.push(removal);
        throw new Error(removal.key);
      },
      onListenerError: (error) => {
        errors.push(error);
        throw error;
      },
    });
    for (let i = 0; i < 10; i++) cache.set(`k${i}`, i);
    expect(cache.set("heavy", 1, { weight: 8 })).toBe(true);
    cache.clear();
    checkCache(cache);
    expect(removals.map(({ key }) => key)).toEqual(
      ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9", "heavy"].filter(Boolean),
    );
    expect(errors).toHaveLength(11);
    expect(cache.stats().listenerErrors).toBe(11);
  });
});
