import { describe, expect, it } from "vitest";
import { BoundedCache, type EvictionPolicy } from "../../src/index.js";
import { checkCache } from "../check/cache.js";
import { VirtualClock } from "../support/virtual-clock.js";

/** Evicts the lightest entry and records the calls. */
class Lightest implements EvictionPolicy<string> {
  readonly weights = new Map<number, number>();
  readonly keys = new Map<number, string>();
  accesses = 0;

  onInsert(slot: number, key: string, weight: number): void {
    this.weights.set(slot, weight);
    this.keys.set(slot, key);
  }

  onAccess(slot: number, weight: number): void {
    this.accesses++;
    this.weights.set(slot, weight);
  }

  onRemove(slot: number): void {
    this.weights.delete(slot);
    this.keys.delete(slot);
  }

  victim(): number | undefined {
    return [...this.weights].sort(([, one], [, other]) => one - other)[0]?.[0];
  }
}

function raise(message: string): never {
  throw new Error(message);
}

describe("a custom policy", () => {
  it("chooses the victims, within limits and beside the ttl", () => {
    const clock = new VirtualClock();
    const policy = new Lightest();
    const cache = new BoundedCache<string, number>({ maxWeight: 20, maxSize: 4, policy, clock });
    for (const [key, weight] of [
      ["a", 3],
      ["b", 9],
      ["c", 2],
      ["d", 4],
      ["e", 5],
    ] as const) {
      cache.set(key, weight, { weight });
      checkCache(cache);
    }
    expect([...cache].map(([key]) => key).sort()).toEqual(["b", "d", "e"]);
    cache.get("b");
    cache.set("d", 1, { weight: 1, ttl: 10 });
    expect(policy.accesses).toBe(2);
    clock.advance(1_000);
    cache.delete("e");
    expect([...policy.keys.values()]).toEqual(["b"]);
    cache.clear();
    expect(policy.weights.size).toBe(0);
    checkCache(cache);
  });

  it.each([undefined, -1, 99, 0.5, Number.NaN])(
    "may return a slot without an entry (%s): the limit holds and the caller gets an error",
    (answer) => {
      const cache = new BoundedCache<string, number>({
        maxSize: 2,
        policy: { onInsert() {}, onAccess() {}, onRemove() {}, victim: () => answer },
      });
      cache.set("a", 1);
      cache.set("b", 2);
      expect(() => cache.set("c", 3)).toThrow(
        /victim\(\) must return the slot of a stored entry, but returned/,
      );
      checkCache(cache);
      expect([...cache]).toEqual([
        ["a", 1],
        ["b", 2],
      ]);
    },
  );

  it("may throw while a timer runs: the timer finishes and the next caller gets the error", () => {
    const clock = new VirtualClock();
    const policy = { onInsert() {}, onAccess() {}, onRemove: () => raise("removed"), victim: () => 0 };
    const cache = new BoundedCache<string, number>({ maxSize: 5_000, policy, clock });
    for (let i = 0; i < 3_000; i++) cache.set(`k${i}`, i, { ttl: 100 });
    clock.advance(10_000);
    expect(cache.size).toBe(0);
    expect(() => cache.set("next", 1)).toThrow("removed");
    expect(cache.get("next")).toBe(1);
    checkCache(cache);
  });

  it("may throw during a resize, which finishes all the same", () => {
    const clock = new VirtualClock();
    const policy = { onInsert() {}, onAccess() {}, onRemove() {}, victim: () => raise("no victim") };
    const cache = new BoundedCache<string, number>({ maxSize: 5_000, policy, clock });
    for (let i = 0; i < 5_000; i++) cache.set(`k${i}`, i);
    expect(() => cache.resize(10)).toThrow("no victim");
    clock.advance(10_000);
    expect(cache.size).toBe(10);
    checkCache(cache);
  });

  it("reports its errors to the caller, not to a call within the listener", () => {
    const errors: unknown[] = [];
    const cache: BoundedCache<string, number> = new BoundedCache<string, number>({
      maxSize: 2,
      policy: { onInsert() {}, onAccess() {}, onRemove() {}, victim: () => 99 },
      onRemoval: () => void cache.get("a"),
      onListenerError: (error) => errors.push(error),
    });
    cache.set("a", 1);
    cache.set("b", 1);
    expect(() => cache.set("c", 1)).toThrow("but returned 99");
    expect(errors).toEqual([]);
  });

  it.each([
    ["onInsert", ["insert"]],
    ["onAccess", ["overwrite", "hit"]],
    ["onRemove", ["insert", "delete"]],
    ["victim", ["insert"]],
  ] as const)(
    "may throw in %s: the caller gets the error and the cache stays consistent",
    (method, heard) => {
      const policy = new Lightest();
      const cache = new BoundedCache<string, number>({ maxSize: 3, policy });
      for (let i = 0; i < 3; i++) cache.set(`k${i}`, i, { weight: i });
      Object.defineProperty(policy, method, {
        value: () => {
          throw new Error(method);
        },
      });
      const operations = {
        insert: () => cache.set("new", 1),
        overwrite: () => cache.set("k1", 1),
        hit: () => cache.get("k1"),
        delete: () => cache.delete("k2"),
      };
      const failed = Object.entries(operations).filter(([, operation]) => {
        try {
          operation();
          return false;
        } catch {
          return true;
        } finally {
          checkCache(cache);
        }
      });
      expect(failed.map(([name]) => name)).toEqual(heard);
      expect(cache.size).toBeLessThanOrEqual(3);
    },
  );
});
