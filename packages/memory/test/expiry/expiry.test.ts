import { beforeEach, describe, expect, it, vi } from "vitest";
import { storeOf } from "../../src/cache/bounded-cache.js";
import { systemClock } from "../../src/clock.js";
import { BoundedCache } from "../../src/index.js";
import { checkCache } from "../check/cache.js";
import { VirtualClock } from "../support/virtual-clock.js";

const YEAR = 365 * 24 * 3_600_000;
let clock: VirtualClock;

beforeEach(() => {
  clock = new VirtualClock();
});

function cacheWith(
  options: { ttl?: number; idle?: number; maxSize?: number } = {},
): BoundedCache<string, number> {
  return new BoundedCache<string, number>({ maxSize: 1_000, policy: "lru", ...options, clock });
}

describe("a clock", () => {
  it("may start below zero: a deadline of 0 still expires", () => {
    clock = new VirtualClock(-1_000);
    const idle = cacheWith({ idle: 600 });
    idle.set("a", 1);
    clock.skip(400);
    idle.get("a");
    idle.set("b", 1);
    idle.delete("a");
    checkCache(idle);
    clock.skip(600);
    expect([idle.get("a"), idle.get("b")]).toEqual([undefined, undefined]);

    clock = new VirtualClock(-1_000);
    const cache = cacheWith();
    cache.set("a", 1, { ttl: 500, now: -1_000 });
    cache.set("x", 1, { ttl: 5, now: -1_000 });
    cache.delete("x");
    clock.skip(40);
    cache.set("y", 1, { ttl: 1, now: -960 });
    cache.set("a", 2, { ttl: 960, now: -960 });
    checkCache(cache);
    clock.advance(100_000);
    checkCache(cache);
    expect(cache.size).toBe(0);
  });

  it("of the system works if a timer is a number, as in browsers", async () => {
    const ended: unknown[] = [];
    const builtin = vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    vi.stubGlobal("setTimeout", () => 7);
    vi.stubGlobal("clearTimeout", (timer: unknown) => ended.push(timer));
    vi.resetModules();
    try {
      const { systemClock } = await import("../../src/clock.js");
      systemClock.schedule(() => {}, 10)();
    } finally {
      vi.unstubAllGlobals();
      builtin.mockRestore();
    }
    expect(ended).toEqual([7]);
  });
});

describe("an iteration", () => {
  it("skips entries that expire while it runs", () => {
    const cache = cacheWith();
    cache.set("lasting", 0);
    for (const key of ["a", "b", "c"]) cache.set(key, 1, { ttl: 100 });
    const seen: string[] = [];
    for (const [key] of cache) {
      seen.push(key);
      if (key === "a") clock.skip(100);
    }
    expect(seen).toEqual(["lasting", "a"]);
  });
});

describe("ttl", () => {
  it.each([1, 2, 31, 32, 33, 1_000, 60_000, YEAR, 10 * YEAR])("of %i ms expires exactly then", (ttl) => {
    const cache = cacheWith();
    cache.set("k", 1, { ttl });
    clock.skip(ttl - 1);
    expect(cache.get("k")).toBe(1);
    expect(cache.inspect("k")?.remaining).toBe(1);
    clock.skip(1);
    for (const read of [cache.has("k"), cache.peek("k"), cache.inspect("k"), [...cache][0], cache.get("k")]) {
      expect(read || undefined).toBeUndefined();
    }
    expect(cache.size).toBe(0);
    checkCache(cache);
  });

  it("works with a clock that starts at 0", () => {
    clock = new VirtualClock(0);
    const cache = cacheWith({ ttl: 5 });
    cache.set("k", 1);
    clock.skip(4);
    expect(cache.get("k")).toBe(1);
    clock.skip(1);
    expect(cache.get("k")).toBeUndefined();
  });

  it("of an entry overrides the cache's; Infinity means never", () => {
    const cache = cacheWith({ ttl: 100 });
    cache.set("short", 1, { ttl: 10 });
    cache.set("usual", 2);
    cache.set("kept", 3, { ttl: Number.POSITIVE_INFINITY });
    clock.advance(50);
    expect([...cache].map(([key]) => key)).toEqual(["usual", "kept"]);
    clock.advance(YEAR);
    expect([...cache].map(([key]) => key)).toEqual(["kept"]);
  });

  it("restarts with each set, longer or shorter, and is not extended by a get", () => {
    const cache = cacheWith();
    cache.set("k", 1, { ttl: 100 });
    cache.set("k", 2, { ttl: 10_000 });
    clock.advance(9_999);
    expect(cache.get("k")).toBe(2);
    clock.advance(1);
    expect(cache.get("k")).toBeUndefined();
    cache.set("k", 3, { ttl: 10_000 });
    cache.set("k", 4, { ttl: 100 });
    checkCache(cache);
    clock.advance(300);
    expect(cache.size).toBe(0);
    cache.set("k", 5, { ttl: 10_000 });
    cache.set("k", 6);
    clock.advance(YEAR);
    expect(cache.get("k")).toBe(6);
    checkCache(cache);
  });

  it("reads the clock once per operation, and never for entries without a deadline", () => {
    const cache = cacheWith();
    cache.set("kept", 1);
    cache.get("kept");
    cache.has("kept");
    expect(clock.reads).toBe(0);
    const operations: (() => unknown)[] = [
      () => cache.set("ends", 1, { ttl: 50 }),
      () => cache.set("ends", 2, { ttl: 60 }),
      () => cache.get("ends"),
      () => cache.peek("ends"),
      () => cache.has("ends"),
      () => cache.inspect("ends"),
      () => [...cache],
      () => cache.delete("ends"),
    ];
    for (const operation of operations) {
      clock.reads = 0;
      operation();
      expect(clock.reads).toBe(1);
    }
    clock.reads = 0;
    cache.get("kept");
    cache.get("missing");
    cache.set("more", 1);
    expect(clock.reads).toBe(0);
  });

  it("takes the time from the caller", () => {
    const cache = cacheWith();
    cache.set("k", 1, { ttl: 50, now: 500 });
    expect(cache.get("k", { now: 549 })).toBe(1);
    expect(cache.has("k", { now: 550 })).toBe(false);
    expect(cache.delete("k", { now: 551 })).toBe(false);
    expect(cache.stats().removals.expired).toBe(1);
    expect(clock.reads).toBe(0);
  });
});

describe("heldIn", () => {
  it("returns the value without the clock while it is stored, even if it has expired", () => {
    const cache = cacheWith({ ttl: 100 });
    cache.setIn(3, "k", 1, { now: clock.time });
    clock.skip(100);
    expect(cache.heldIn(3, "k")).toBe(1);
    expect(cache.heldIn(4, "k")).toBeUndefined();
    expect(clock.reads).toBe(0);
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1 });
    clock.advance(200);
    expect(cache.heldIn(3, "k")).toBeUndefined();
  });
});

describe("idle time", () => {
  it("expires an entry without a get or set; a peek does not count", () => {
    const cache = cacheWith({ idle: 100 });
    cache.set("k", 1);
    for (let i = 0; i < 20; i++) {
      clock.advance(99);
      expect(cache.get("k")).toBe(1);
      checkCache(cache);
    }
    clock.advance(60);
    expect(cache.peek("k")).toBe(1);
    clock.advance(40);
    expect(cache.peek("k")).toBeUndefined();
    clock.advance(200);
    expect(cache.size).toBe(0);
  });

  it("does not extend the ttl", () => {
    const cache = cacheWith({ idle: 100, ttl: 250 });
    cache.set("k", 1);
    for (const expected of [1, 1, undefined]) {
      clock.advance(90);
      expect(cache.get("k")).toBe(expected);
    }
  });
});

describe("memory", () => {
  it("is freed by the timer alone, soon after expiry, some hundred entries at a time", () => {
    const cache = cacheWith({ maxSize: 100_000 });
    for (let i = 0; i < 20_000; i++) cache.set(`k${i}`, i, { ttl: 1_000 });
    expect(clock.timers).toBe(1);
    clock.advance(1_080);
    expect(cache.size).toBeGreaterThan(0);
    clock.advance(200);
    expect(cache.size).toBe(0);
    expect(clock.timers).toBe(0);
    expect(storeOf(cache).table.length).toBeLessThan(5_000);
    checkCache(cache);
  });

  it("is freed by operations that know the time, a bounded number of entries each", () => {
    const cache = cacheWith();
    for (let i = 0; i < 500; i++) cache.set(`k${i}`, i, { ttl: 1_000 });
    cache.set("long", 1, { ttl: YEAR });
    clock.skip(5_000);
    const sizes = Array.from({ length: 70 }, () => {
      cache.get("long");
      return cache.size;
    });
    expect(sizes[0]).toBeGreaterThan(480);
    expect(sizes.at(-1)).toBe(1);
    checkCache(cache);
  });

  it("needs one timer at most, and none without deadlines", () => {
    const cache = cacheWith();
    for (let i = 0; i < 300; i++) {
      cache.set(`k${i}`, i, { ttl: 1 + ((i * 7_919) % 1_000_000) });
      expect(clock.timers).toBe(1);
    }
    clock.advance(2_000_000);
    expect([cache.size, clock.timers]).toEqual([0, 0]);
    cache.set("k", 1, { ttl: 1_000 });
    expect(clock.timers).toBe(1);
    cache.clear();
    expect(clock.timers).toBe(0);
  });

  it("finishes a resize without an operation", () => {
    const cache = cacheWith({ maxSize: 10_000 });
    for (let i = 0; i < 10_000; i++) cache.set(`k${i}`, i);
    cache.resize(10);
    expect(clock.timers).toBe(1);
    clock.advance(200);
    expect([cache.size, clock.timers]).toEqual([10, 0]);
    checkCache(cache);
  });

  it("is freed by a timer that does not keep the process alive", () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const cancel = systemClock.schedule(() => {}, 1_000_000);
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout")).toHaveLength(before);
    cancel();
  });
});
