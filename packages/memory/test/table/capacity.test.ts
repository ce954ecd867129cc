import { describe, expect, it } from "vitest";
import { storeOf } from "../../src/cache/bounded-cache.js";
import { BoundedCache } from "../../src/index.js";
import { LfuPolicy } from "../../src/policy/lfu.js";
import { TinyLfuPolicy } from "../../src/policy/tlfu.js";
import { checkCache } from "../check/cache.js";
import { collect } from "../support/collect.js";
import { seeded } from "../support/random.js";
import { VirtualClock } from "../support/virtual-clock.js";

const POLICIES = ["tlfu", "lru", "lfu", "fifo"] as const;

type Key = string | number | object;
type Policy = (typeof POLICIES)[number];

/** Creates a cache that uses every column: weights, spaces, and deadlines that accesses extend. */
function fullCache(policy: Policy, maxSize: number) {
  const clock = new VirtualClock();
  const cache = new BoundedCache<Key, number>({
    maxSize,
    policy,
    clock,
    idle: 1e9,
    ttl: 1e10,
    random: seeded(7),
  });
  return { cache, clock };
}

function fill(cache: BoundedCache<Key, number>, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    if (i % 3 === 0) cache.set(i, i, { weight: i % 7 });
    else cache.setIn(i % 2, `k${i}`, i);
    if (i % 5 === 0) cache.get(i - 15);
  }
}

/** Returns the value of the number `i` as `fill` stored it, without using it. */
function peek(cache: BoundedCache<Key, number>, i: number): number | undefined {
  return i % 3 === 0 ? cache.peek(i) : cache.peekIn(i % 2, `k${i}`);
}

/** Returns the lengths of the columns of the store itself and of a wheel. */
function lengths(cache: BoundedCache<Key, number>): number[] {
  const { hashes, spaces, weights, expiry } = storeOf(cache);
  return [
    hashes.length,
    spaces?.length ?? 0,
    weights?.length ?? 0,
    expiry.deadlines?.length ?? 0,
    (expiry.wheel?.links.next.length ?? 0) - (expiry.wheel?.links.heads ?? 0),
  ];
}

/**
 * Returns the bytes of all typed arrays in fields that tests see. No other memory grows with a
 * cache.
 */
function arrayBytes(part: object, seen: Set<object> = new Set()): number {
  if (seen.has(part)) return 0;
  seen.add(part);
  if (ArrayBuffer.isView(part)) return part.byteLength;
  const parts = Object.values(part).filter((value) => typeof value === "object" && value !== null);
  return parts.reduce((bytes: number, value: object) => bytes + arrayBytes(value, seen), 0);
}

describe("more capacity", () => {
  it.each(POLICIES)("comes one column per insertion, and the structure stays consistent: %s", (policy) => {
    const { cache } = fullCache(policy, 100_000);
    fill(cache, 0, 7_935);
    let before = lengths(cache);
    const changed: number[] = [];
    for (let i = 7_935; i < 7_951; i++) {
      fill(cache, i, i + 1);
      checkCache(cache);
      const after = lengths(cache);
      changed.push(after.filter((length, at) => length !== before[at]).length);
      before = after;
    }
    expect(Math.max(...changed)).toBe(1);
    expect(before).toEqual([16_384, 16_384, 16_384, 16_384, 16_384]);
    const numbers = Array.from({ length: 7_951 }, (_, i) => i);
    expect(numbers.filter((i) => peek(cache, i) !== i)).toEqual([]);
  });

  it("follows the number of entries, even far below a large maximum", () => {
    const cache = new BoundedCache<number, number>({ maxSize: 2_000_000 });
    for (let i = 0; i < 140_000; i++) cache.set(i, i);
    expect(storeOf(cache).slotCount).toBeLessThan(1.5 * 140_000);
    expect(arrayBytes(storeOf(cache))).toBeLessThan(56 * 140_000);
    expect(cache.get(1)).toBe(1);
  });

  it("comes before the last slot is used, however many columns must grow", () => {
    const { cache } = fullCache("tlfu", 2 ** 18);
    fill(cache, 0, 100);
    const store = storeOf(cache);
    const grow = () => store.capacity.grow(2 ** 18);
    while (store.slotCount < 8_192) grow();
    while (store.slotCount < 2 ** 18) {
      const before = store.slotCount;
      let taken = 0;
      while (store.slotCount === before) {
        taken = store.capacity.growAt;
        grow();
      }
      expect(taken, `slots taken of ${before}`).toBeLessThan(before);
    }
  });

  it("comes at once if an insertion finds no free slot", () => {
    const { cache } = fullCache("tlfu", 100_000);
    fill(cache, 0, 7_930);
    const store = storeOf(cache);
    store.capacity.growAt = store.slotCount;
    fill(cache, 7_930, 8_300);
    checkCache(cache);
    expect(store.slotCount).toBe(16_384);
  });
});

describe("unused capacity", () => {
  it.each(POLICIES)("is freed by later operations, and the structure stays consistent: %s", (policy) => {
    const { cache } = fullCache(policy, 20_000);
    fill(cache, 0, 20_000);
    const kept = 300;
    const removed = new Set<number>();
    const random = seeded(4);
    while (removed.size < 20_000 - kept) removed.add(random() % 20_000);
    let step = 0;
    for (const i of removed) {
      if (i % 3 === 0) cache.delete(i);
      else cache.deleteIn(i % 2, `k${i}`);
      if (storeOf(cache).capacity.isShrinking && step++ % 64 === 0) checkCache(cache);
    }
    for (let i = 0; i < 3_000; i++) cache.set("again", i);
    checkCache(cache);
    expect(step).toBeGreaterThan(100);
    expect(storeOf(cache).slotCount).toBeLessThanOrEqual(4_096);
    expect(storeOf(cache).keyChunks.length).toBeLessThanOrEqual(2);
    expect(new Set(lengths(cache))).toEqual(new Set([storeOf(cache).slotCount]));
    const numbers = Array.from({ length: 20_000 }, (_, i) => i);
    expect(numbers.filter((i) => peek(cache, i) !== (removed.has(i) ? undefined : i))).toEqual([]);
  });

  it("is freed in the background after a resize, without any operation", () => {
    const clock = new VirtualClock();
    const cache = new BoundedCache<string, number>({ maxSize: 200_000, clock, random: seeded(2) });
    for (let i = 0; i < 200_000; i++) cache.set(`k${i}`, i);
    cache.resize(1_000);
    clock.advance(10_000);
    const { slotCount, policy } = storeOf(cache);
    checkCache(cache);
    expect([cache.size, slotCount <= 4_096]).toEqual([1_000, true]);
    expect(policy instanceof TinyLfuPolicy && policy.sketch.blocks <= 2_048).toBe(true);
    expect(arrayBytes(storeOf(cache))).toBeLessThan(250_000);
  });

  it("is freed in the background after a space was cleared", () => {
    const clock = new VirtualClock();
    const cache = new BoundedCache<string, number>({ maxSize: 50_000, clock });
    for (let i = 0; i < 50_000; i++) cache.setIn(i % 100 === 0 ? 1 : 0, `k${i}`, i);
    cache.clearSpace(0);
    clock.advance(10_000);
    checkCache(cache);
    expect([cache.size, storeOf(cache).slotCount <= 4_096]).toEqual([500, true]);
  });

  it("stays while the cache fills again", () => {
    const { cache } = fullCache("tlfu", 40_000);
    fill(cache, 0, 40_000);
    for (let i = 0; !storeOf(cache).capacity.isShrinking; i++) {
      if (i % 3 === 0) cache.delete(i);
      else cache.deleteIn(i % 2, `k${i}`);
    }
    expect(cache.size).toBeLessThan(10_001);
    fill(cache, 40_000, 80_000);
    checkCache(cache);
    expect([storeOf(cache).capacity.isShrinking, cache.size]).toEqual([false, 40_000]);
  });

  it("waits for an iteration, which sees every entry once", () => {
    const cache = new BoundedCache<number, number>({ maxSize: 20_000, policy: "fifo" });
    for (let i = 0; i < 20_000; i++) cache.set(i, i);
    const seen: number[] = [];
    for (const [key] of cache) {
      if (key < 18_000) cache.delete(key);
      else seen.push(key);
    }
    expect(seen.toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 2_000 }, (_, i) => 18_000 + i),
    );
    expect(storeOf(cache).slotCount).toBeGreaterThan(20_000);
    for (let i = 0; i < 3_000; i++) cache.set(18_000, i);
    expect(storeOf(cache).slotCount).toBeLessThan(8_192);
    checkCache(cache);
  });

  it("sets no timer during an iteration, and is freed after it without an operation", () => {
    const clock = new VirtualClock();
    const cache = new BoundedCache<number, number>({ maxSize: 20_000, clock });
    for (let i = 0; i < 20_000; i++) cache.set(i, i);
    const entries = cache.entries();
    entries.next();
    cache.resize(100);
    clock.advance(1_000);
    expect([cache.size, clock.timers]).toEqual([100, 0]);
    expect(storeOf(cache).slotCount).toBeGreaterThan(20_000);
    entries.return?.();
    clock.advance(1_000);
    expect([storeOf(cache).slotCount <= 4_096, clock.timers]).toEqual([true, 0]);
    checkCache(cache);
  });

  it("does not wait for an abandoned iteration after its iterator is collected", async () => {
    const cache = new BoundedCache<number, number>({ maxSize: 20_000, policy: "fifo" });
    for (let i = 0; i < 20_000; i++) cache.set(i, i);
    expect(cache.entries().next().value).toEqual([0, 0]);
    for (let i = 0; i < 18_000; i++) cache.delete(i);
    // A WeakRef keeps its target alive until the end of the job that created it.
    await Promise.resolve();
    await new Promise(setImmediate);
    collect();
    for (let i = 0; i < 3_000; i++) cache.set(18_000, i);
    expect(storeOf(cache).slotCount).toBeLessThan(8_192);
    checkCache(cache);
  });

  it("stays with a custom policy, which knows entries by their slots", () => {
    const held = new Set<number>();
    const cache = new BoundedCache<number, number>({
      maxSize: 10_000,
      policy: {
        onInsert: (slot) => void held.add(slot),
        onAccess: () => {},
        onRemove: (slot) => void held.delete(slot),
        victim: () => held.values().next().value ?? -1,
      },
    });
    for (let i = 0; i < 10_000; i++) cache.set(i, i);
    for (let i = 0; i < 9_990; i++) cache.delete(i);
    checkCache(cache);
    expect(storeOf(cache).slotCount).toBe(10_001);
    expect([...cache.entries()].length).toBe(10);
  });

  it("is no larger than the number of different counts, for the groups of lfu", () => {
    const cache = new BoundedCache<number, number>({ maxSize: 10_000, policy: "lfu" });
    for (let i = 0; i < 10_000; i++) cache.set(i, i);
    for (let i = 0; i < 60; i++) for (let use = 0; use < i; use++) cache.get(i);
    const { policy } = storeOf(cache);
    expect(policy instanceof LfuPolicy && policy.counts.length).toBe(64);
    checkCache(cache);
  });
});
