import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { storeOf } from "../../src/cache/bounded-cache.js";
import { BoundedCache, MISS } from "../../src/index.js";
import { checkCache } from "../check/cache.js";
import { seeded } from "../support/random.js";
import { VirtualClock } from "../support/virtual-clock.js";

describe("keys", () => {
  const odd: unknown[] = [
    "",
    "a",
    0,
    1,
    -1,
    1.5,
    2 ** 40,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1n,
    true,
    false,
  ];
  odd.push(null, undefined, {}, [], () => 0, Symbol("s"), Symbol.for("s"), "NaN", "0", "null");

  it("may be anything that a Map accepts, each different from the others", () => {
    const cache = new BoundedCache<unknown, number>({ maxSize: 100 });
    odd.forEach((key, i) => void cache.set(key, i));
    checkCache(cache);
    expect(odd.map((key) => cache.get(key))).toEqual(odd.map((_, i) => i));
    expect(new Map(cache.entries())).toEqual(new Map(odd.map((key, i) => [key, i])));
    expect(odd.every((key) => cache.delete(key))).toBe(true);
    checkCache(cache);
    expect(cache.size).toBe(0);
  });

  it("are evicted whatever their type", () => {
    const cache = new BoundedCache<unknown, number>({ maxSize: 3, policy: "lru" });
    odd.forEach((key, i) => {
      cache.set(key, i);
      checkCache(cache);
    });
    expect([...cache].map(([key]) => key).sort()).toEqual(odd.slice(-3).sort());
  });

  it("treat -0 as 0, as a Map does", () => {
    const cache = new BoundedCache<number, string>({ maxSize: 2 });
    cache.set(-0, "zero");
    expect(cache.get(0)).toBe("zero");
    expect([...cache]).toEqual([[0, "zero"]]);
  });
});

describe("spaces", () => {
  it("keep equal keys apart within one bounded cache", () => {
    const cache = new BoundedCache<string, string>({ maxSize: 4, policy: "lru" });
    cache.set("k", "zero");
    for (const space of [1, 2, 2 ** 31 - 1]) cache.setIn(space, "k", `in ${space}`);
    checkCache(cache);
    expect(cache.get("k")).toBe("zero");
    expect(cache.getIn(2, "k")).toBe("in 2");
    expect(cache.readIn(3, "k")).toBe(MISS);
    expect(cache.peekIn(1, "k")).toBe("in 1");
    expect(cache.hasIn(2 ** 31 - 1, "k")).toBe(true);
    expect([...cache.entriesIn(2)]).toEqual([["k", "in 2"]]);
    expect([...cache]).toEqual([["k", "zero"]]);
    expect(cache.deleteIn(1, "k")).toBe(true);
    expect(cache.deleteIn(1, "k")).toBe(false);
    expect(cache.size).toBe(3);
    cache.setIn(5, "other", "x");
    cache.setIn(5, "more", "y");
    expect(cache.size).toBe(4);
    expect(cache.hasIn(2 ** 31 - 1, "k")).toBe(false);
    checkCache(cache);
  });

  it("are cleared one by one", () => {
    const cache = new BoundedCache<string, number>({ maxSize: 100 });
    for (let i = 0; i < 60; i++) cache.setIn(i % 3, `k${i}`, i);
    expect(cache.clearSpace(1)).toBe(20);
    expect(cache.clearSpace(1)).toBe(0);
    checkCache(cache);
    expect(cache.size).toBe(40);
    expect(cache.stats().removals.cleared).toBe(20);
    expect([...cache.entriesIn(2)]).toHaveLength(20);
  });
});

describe("values", () => {
  it("may be undefined: read returns MISS for a miss only", () => {
    const cache = new BoundedCache<string, undefined>({ maxSize: 2 });
    cache.set("k", undefined);
    expect(cache.get("k")).toBeUndefined();
    expect(cache.read("k")).toBeUndefined();
    expect(cache.read("other")).toBe(MISS);
    expect(cache.has("k")).toBe(true);
    expect([...cache]).toEqual([["k", undefined]]);
  });
});

describe("weights", () => {
  it("come from set, else from the weigher, else are 1", () => {
    const cache = new BoundedCache<string, string>({ maxWeight: 100, weigher: (value) => value.length });
    cache.set("a", "12345");
    cache.set("b", "12345", { weight: 20 });
    expect(cache.weight).toBe(25);
    expect(cache.inspect("b")).toEqual({ value: "12345", weight: 20, remaining: Number.POSITIVE_INFINITY });
    const plain = new BoundedCache<string, string>({ maxSize: 10 });
    plain.set("a", "12345");
    expect(plain.weight).toBe(1);
    plain.set("b", "", { weight: 7 });
    plain.delete("b");
    expect(plain.weight).toBe(1);
    checkCache(cache);
    checkCache(plain);
  });

  it("refuse an entry heavier than maxWeight and remove the key's old value", () => {
    const removals: string[] = [];
    const cache = new BoundedCache<string, number>({
      maxWeight: 10,
      onRemoval: ({ key, value, cause }) => removals.push(`${key}=${value} ${cause}`),
    });
    cache.set("a", 1, { weight: 4 });
    cache.set("b", 2, { weight: 4 });
    expect(cache.set("a", 3, { weight: 11 })).toBe(false);
    expect(removals).toEqual(["a=1 replaced", "a=3 size"]);
    expect([...cache]).toEqual([["b", 2]]);
    expect(cache.stats().refused).toBe(1);
    checkCache(cache);
  });

  it("are those of the last set, even if an existing entry gets the first weight", () => {
    const cache = new BoundedCache<string, number>({ maxSize: 10, maxWeight: 20 });
    cache.set("a", 1);
    cache.set("a", 2, { weight: 5 });
    expect([cache.weight, cache.inspect("a")?.weight]).toEqual([5, 5]);
    cache.set("a", 3);
    expect([cache.weight, cache.inspect("a")?.weight]).toEqual([1, 1]);
    checkCache(cache);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("refuse %s and change nothing", (weight) => {
    const cache = new BoundedCache<string, number>({ maxWeight: 10 });
    cache.set("a", 1);
    expect(() => cache.set("a", 2, { weight })).toThrow(RangeError);
    expect(cache.get("a")).toBe(1);
    checkCache(cache);
  });

  it("survive a weigher that throws and change nothing", () => {
    const cache = new BoundedCache<string, number>({
      maxWeight: 10,
      weigher: (value) => {
        if (value > 1) throw new Error("too much");
        return value;
      },
    });
    cache.set("a", 1);
    expect(() => cache.set("a", 2)).toThrow("too much");
    expect(() => cache.set("b", 2)).toThrow("too much");
    expect([...cache]).toEqual([["a", 1]]);
    checkCache(cache);
  });
});

describe("limits", () => {
  it.each([1, 2, 3])("work at a maximum of %i", (maxSize) => {
    for (const policy of ["tlfu", "lru", "lfu", "fifo"] as const) {
      const cache = new BoundedCache<string, number>({ maxSize, policy });
      for (let i = 0; i < 50; i++) {
        cache.set(`k${i % 7}`, i);
        if (policy !== "tlfu") expect(cache.get(`k${i % 7}`)).toBe(i);
        checkCache(cache);
      }
      expect(cache.size).toBe(maxSize);
    }
  });

  it("allocate nothing up front for a maximum of 2^24", () => {
    const cache = new BoundedCache<string, number>({ maxSize: 2 ** 24 });
    const store = storeOf(cache);
    expect(store.slotCount).toBe(0);
    expect(store.table.length).toBeLessThan(100);
    for (let i = 0; i < 1_000; i++) cache.set(`k${i}`, i);
    expect(store.slotCount).toBeLessThan(2_100);
    expect(store.table.length).toBeLessThan(4_200);
  });

  it("change at run time: some entries are evicted at once, the rest by later operations", () => {
    const cache = new BoundedCache<string, number>({ maxSize: 3_000, policy: "lru" });
    for (let i = 0; i < 3_000; i++) cache.set(`k${i}`, i);
    cache.resize(100);
    expect(cache.size).toBe(3_000 - 512);
    for (let i = 0; i < 80; i++) {
      cache.set("k2999", i);
      checkCache(cache);
    }
    expect(cache.size).toBe(100);
    expect(cache.get("k2901")).toBe(2_901);
    cache.resize(200);
    for (let i = 0; i < 300; i++) cache.set(`n${i}`, i);
    expect(cache.size).toBe(200);
    cache.resize(undefined, 50);
    expect(cache.weight).toBe(50);
    expect([cache.maxSize, cache.maxWeight]).toEqual([200, 50]);
    checkCache(cache);
  });

  it.each([
    {},
    { maxSize: 0 },
    { maxSize: 2 ** 24 + 1 },
    { maxSize: 1.5 },
    { maxSize: Number.NaN },
    { maxWeight: 0 },
    { maxWeight: 0.5 },
    { maxSize: 1, ttl: 0 },
    { maxSize: 1, ttl: Number.NaN },
    { maxSize: 1, idle: -1 },
    { maxSize: null },
    { maxSize: "100" },
    { maxWeight: 2 ** 53 },
    { maxSize: 1, ttl: "50" },
    { maxSize: 1, idle: [50] },
    { maxSize: 1, onRemoval: "close" },
    { maxSize: 1, weigher: 3 },
    { maxSize: 1, policy: {} },
    { maxSize: 1, clock: { now: Date.now } },
    undefined,
    100,
  ])("are checked: %o", (options) => {
    expect(() => new BoundedCache(options as { maxSize: number })).toThrow(/must |needs a limit/);
  });

  it.each([
    [{ max: 100 }, 'include an unknown "max": use maxSize. Known are maxSize, maxWeight, '],
    [{ maxSize: 1, dispose() {} }, 'include an unknown "dispose": use onRemoval.'],
    [{ maxSize: 1, timeToLive: 5 }, 'include an unknown "timeToLive". Known are maxSize, maxWeight, '],
  ])("name the option to use instead of an unknown one: %o", (options, message) => {
    expect(() => new BoundedCache(options as { maxSize: number })).toThrow(message);
  });

  it("are checked by resize and set too", () => {
    const cache = new BoundedCache<string, number>({ maxSize: 1 });
    expect(() => cache.resize(0)).toThrow(RangeError);
    expect(() => cache.resize(1, -1)).toThrow(RangeError);
    expect(() => cache.set("k", 1, { ttl: 0 })).toThrow(
      "ttl must be a positive number of milliseconds (Infinity: never), not 0",
    );
    expect(() => cache.set("k", 1, { ttl: "50" as never })).toThrow('not the string "50"');
    expect(() => cache.set("k", 1, { now: Number.NaN })).toThrow("now must be a time in milliseconds");
    expect(() => cache.set("k", 1, 1_000 as never)).toThrow(
      "must be an object such as { ttl: 60_000 }, not 1000",
    );
    expect(() => cache.set("k", 1, { maxAge: 5 } as never)).toThrow('include an unknown "maxAge": use ttl.');
    expect(cache.maxSize).toBe(1);
    expect(cache.size).toBe(0);
  });

  it("refuse an unknown policy", () => {
    expect(() => new BoundedCache({ maxSize: 1, policy: "mru" as "lru" })).toThrow(/policy must be/);
  });
});

describe("arguments that TypeScript rejects", () => {
  it("a second argument from map or filter is not a time", () => {
    const clock = new VirtualClock();
    const cache = new BoundedCache<string, number>({ maxSize: 10, clock, ttl: 10 });
    cache.set("a", 1);
    cache.set("b", 2);
    clock.skip(10);
    // TypeScript rejects such a call.
    const get = cache.get as (key: string) => number | undefined;
    expect(["a", "b"].map(get, cache)).toEqual([undefined, undefined]);
  });

  it.each([-1, 1.5, "1", 2 ** 31, Number.NaN])("a space must be an integer from 0: %o", (space) => {
    const cache = new BoundedCache<string, number>({ maxSize: 10 });
    expect(() => cache.setIn(space as number, "k", 1)).toThrow(RangeError);
    expect(cache.size).toBe(0);
  });

  it("a key with a space must be a string", () => {
    const cache = new BoundedCache<number, number>({ maxSize: 10 });
    expect(() => cache.setIn(1, 5 as never, 1)).toThrow("A key with a space must be a string, not 5");
    cache.set(5, 1);
    expect([cache.get(5), cache.getIn(1, 5 as never)]).toEqual([1, undefined]);
  });

  it.each([undefined, null, -1, 0.5, 2 ** 53])("the result of a weigher is checked: %o", (weight) => {
    const cache = new BoundedCache<string, number>({ maxWeight: 10, weigher: () => weight as number });
    expect(() => cache.set("k", 1)).toThrow("The weight of an entry must be an integer from 0 to 2^52, not");
    expect(cache.size).toBe(0);
  });
});

describe("the store of a cache", () => {
  it("is not printed and collides with no member of a subclass", () => {
    class Named extends BoundedCache<string, number> {
      readonly store: string = "books";
      readonly settings: string = "mine";
      isLive(): boolean {
        return true;
      }
    }
    const cache = new Named({ maxSize: 10 });
    cache.set("a", 1);
    expect([cache.get("a"), cache.has("b"), cache.isLive()]).toEqual([1, false, true]);
    expect(inspect(cache)).toBe("Named { store: 'books', settings: 'mine' }");
    expect(JSON.stringify(new BoundedCache({ maxSize: 1 }))).toBe("{}");
  });
});

describe("clear", () => {
  it("empties the cache and frees its arrays", () => {
    for (const policy of ["tlfu", "lru", "lfu", "fifo"] as const) {
      const clock = new VirtualClock();
      const cache = new BoundedCache<string, number>({ maxSize: 5_000, policy, clock });
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 5_000; i++) cache.set(`k${i}`, i, { ttl: 1 + i * 1_000, weight: 2 });
        cache.clear();
        checkCache(cache);
        expect([cache.size, cache.weight, storeOf(cache).slotCount]).toEqual([0, 0, 0]);
        expect(cache.get("k1")).toBeUndefined();
      }
      expect(cache.stats().removals.cleared).toBe(15_000);
    }
  });
});

describe("entries", () => {
  it("have keys and values", () => {
    const cache = new BoundedCache<string, number>({ maxSize: 10 });
    cache.set("a", 1);
    cache.set("b", 2);
    cache.setIn(1, "c", 3);
    expect([[...cache.keys()].toSorted(), [...cache.values()].toSorted()]).toEqual([
      ["a", "b"],
      [1, 2],
    ]);
  });

  it("see an entry that stays exactly once while others come and go", () => {
    const cache = new BoundedCache<string, number>({ maxSize: 1_000, random: seeded(1) });
    for (let i = 0; i < 200; i++) cache.set(`k${i}`, i);
    const seen: string[] = [];
    for (const [key] of cache) {
      seen.push(key);
      cache.delete(`k${100 + seen.length}`);
      cache.set(`new${seen.length}`, 0);
    }
    for (let i = 0; i < 100; i++) expect(seen.filter((key) => key === `k${i}`)).toHaveLength(1);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("see an entry that stays exactly once in a full cache that moves entries", () => {
    const random = seeded(5);
    const gone = new Set<string>();
    const onRemoval = ({ key }: { readonly key: string }) => void gone.add(key);
    const cache = new BoundedCache<string, number>({ maxSize: 60, random: seeded(1), onRemoval });
    const setSome = (count: number) => {
      // Squaring a random number makes some keys frequent, and these win their duels.
      for (let i = 0; i < count; i++) cache.set(`k${Math.floor((random() / 2 ** 32) ** 2 * 400)}`, i);
    };
    for (let round = 0; round < 300; round++) {
      setSome(100);
      const before = [...cache].map(([key]) => key);
      gone.clear();
      const seen: string[] = [];
      for (const [key] of cache) {
        seen.push(key);
        if (seen.length % 8 === 0) setSome(1);
      }
      const stayed = new Set(before.filter((key) => !gone.has(key)));
      expect(seen.filter((key) => stayed.has(key)).toSorted()).toEqual([...stayed].toSorted());
    }
    checkCache(cache);
  });
});

describe("stats", () => {
  it("count hits, misses and removals by cause, but no peek", () => {
    const cache = new BoundedCache<string, number>({ maxSize: 2, policy: "fifo" });
    expect(cache.stats().hitRatio).toBe(0);
    cache.set("a", 1);
    cache.set("a", 2);
    cache.set("b", 3);
    cache.set("c", 4);
    cache.get("c");
    cache.get("c");
    cache.get("a");
    cache.get("b");
    cache.peek("b");
    cache.has("x");
    cache.delete("b");
    expect(cache.stats()).toEqual({
      hits: 3,
      misses: 1,
      hitRatio: 0.75,
      size: 1,
      weight: 1,
      removals: { size: 1, expired: 0, explicit: 1, replaced: 1, cleared: 0 },
      refused: 0,
      listenerErrors: 0,
    });
  });
});
