import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { storeOf } from "../../src/cache/bounded-cache.js";
import type { Removal } from "../../src/cache/removal.js";
import { BoundedCache } from "../../src/index.js";
import { checkCache } from "../check/cache.js";
import { Model, type ModelOptions } from "../support/model.js";
import { seeded } from "../support/random.js";
import { VirtualClock } from "../support/virtual-clock.js";

type Step =
  | { readonly kind: "get" | "peek" | "has" | "delete"; readonly key: string; readonly isTimed: boolean }
  | {
      readonly kind: "set";
      readonly key: string;
      readonly weight: number;
      readonly ttl: number | undefined;
      readonly isTimed: boolean;
    }
  | { readonly kind: "skip" | "advance"; readonly ms: number }
  | { readonly kind: "clear" };

/**
 * A cache and its model, driven together. Every step is followed by a walk through the whole
 * structure.
 */
class Pair {
  readonly clock = new VirtualClock();
  readonly #removals: Removal<string, number>[] = [];
  readonly #cache: BoundedCache<string, number>;
  readonly #model: Model;
  readonly #hasListener: boolean;
  #value = 0;

  /** @param hasListener adds a removal listener; without one the cache takes its fast paths */
  constructor(options: ModelOptions, hasListener: boolean) {
    this.#hasListener = hasListener;
    this.#model = new Model(options);
    this.#cache = new BoundedCache({
      ...options,
      maxWeight: options.maxWeight === Number.POSITIVE_INFINITY ? undefined : options.maxWeight,
      clock: this.clock,
      random: seeded(options.maxSize),
      onRemoval: hasListener ? (removal) => void this.#removals.push(removal) : undefined,
    });
  }

  step(step: Step): void {
    this.#removals.length = 0;
    this.#apply(step);
    this.#follow();
    this.check();
  }

  check(): void {
    checkCache(this.#cache);
    expect(this.#model.isOverLimit).toBe(false);
    expect(this.#cache.weight).toBe(this.#model.weight);
    const live = [...this.#model.held].filter(([, { end }]) => this.clock.time < end);
    expect(new Map(this.#cache.entries())).toEqual(new Map(live.map(([key, { value }]) => [key, value])));
  }

  /**
   * Advances the clock by an hour: the timer alone must remove all entries that expired before it.
   */
  rest(): void {
    this.#removals.length = 0;
    this.clock.advance(3_600_000);
    this.#follow();
    const late = [...this.#model.held.values()].filter(({ end }) => end < this.clock.time - 10_000);
    expect(late).toEqual([]);
    this.check();
  }

  #apply(step: Step): void {
    const cache = this.#cache;
    const model = this.#model;
    const { time } = this.clock;
    const now = "isTimed" in step && step.isTimed ? time : undefined;
    switch (step.kind) {
      case "get":
        expect(cache.get(step.key, { now })).toBe(model.get(step.key, time));
        break;
      case "peek":
        expect(cache.peek(step.key, { now })).toBe(model.live(step.key, time)?.value);
        break;
      case "has":
        expect(cache.has(step.key, { now })).toBe(model.live(step.key, time) !== undefined);
        break;
      case "delete": {
        const held = model.held.get(step.key);
        const isLive = model.live(step.key, time) !== undefined;
        expect(cache.delete(step.key, { now })).toBe(isLive);
        if (this.#hasListener || held === undefined) break;
        this.#removals.push({
          key: step.key,
          value: held.value,
          cause: isLive ? "explicit" : "expired",
          space: 0,
        });
        break;
      }
      case "set": {
        const { key, weight, ttl } = step;
        const former = model.held.get(key);
        const wasLive = model.live(key, time) !== undefined;
        const value = ++this.#value;
        const stored = cache.set(key, value, { weight, ttl, now });
        expect(stored).toBe(model.set(key, value, weight, ttl, time));
        if (!this.#hasListener) break;
        // The removal of the old value comes first, and is not an eviction.
        const first = this.#removals[0];
        if (former !== undefined) {
          expect(first).toMatchObject({ key, value: former.value, cause: wasLive ? "replaced" : "expired" });
          this.#removals.shift();
        }
        if (!stored) expect(this.#removals.shift()).toMatchObject({ key, value, cause: "size" });
        break;
      }
      case "clear":
        cache.clear();
        if (this.#hasListener)
          expect(this.#removals.map(({ key }) => key).sort()).toEqual([...model.held.keys()].sort());
        this.#removals.length = 0;
        model.clear();
        break;
      case "skip":
        this.clock.skip(step.ms);
        break;
      case "advance":
        this.clock.advance(step.ms);
        break;
    }
  }

  #follow(): void {
    for (const removal of this.#removals) this.#model.follow(removal, this.clock.time);
    if (!this.#hasListener) this.#followUnreported();
  }

  /** Checks that each entry that left was evicted, or had expired. */
  #followUnreported(): void {
    const model = this.#model;
    const store = storeOf(this.#cache);
    const wasFull = model.isOverLimit;
    const gone = new Map([...model.held].filter(([key]) => store.find(0, key) < 0));
    const follow = (key: string, cause: "expired" | "size") => {
      const { value } = gone.get(key)!;
      model.follow({ key, value, cause, space: 0 }, this.clock.time);
      gone.delete(key);
    };
    for (const [key, { end }] of gone) if (this.clock.time >= end) follow(key, "expired");
    if (gone.size > 0) expect(wasFull).toBe(true);
    // If several entries were evicted at once, the model gives the order.
    while (gone.size > 0) {
      const next = model.victim() ?? "";
      follow(gone.has(next) ? next : [...gone.keys()][0]!, "size");
    }
  }
}

const keys = fc.constantFrom(..."abcdefghijklmnopqrst");
const times = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 400_000_000 }));
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 25,
    arbitrary: fc.record({
      kind: fc.constantFrom("get" as const, "peek", "has", "delete"),
      key: keys,
      isTimed: fc.boolean(),
    }),
  },
  {
    weight: 30,
    arbitrary: fc.record({ kind: fc.constant("get" as const), key: keys, isTimed: fc.boolean() }),
  },
  {
    weight: 50,
    arbitrary: fc.record({
      kind: fc.constant("set" as const),
      key: keys,
      weight: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 12 })),
      ttl: fc.option(times, { nil: undefined }),
      isTimed: fc.boolean(),
    }),
  },
  { weight: 10, arbitrary: fc.record({ kind: fc.constantFrom("skip" as const, "advance"), ms: times }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
);

const never = Number.POSITIVE_INFINITY;
const rules = {
  "maximum entries": { maxWeight: never, ttl: never, idle: never },
  "maximum weight and entries": { maxWeight: 10, ttl: never, idle: never },
  "ttl and entries": { maxWeight: never, ttl: 500, idle: never },
  "everything together": { maxWeight: 20, ttl: 100_000, idle: 700 },
};

const ways = Object.entries(rules).flatMap(([name, rule]) => [
  { name, rule, hasListener: true },
  { name: `${name}, without a listener`, rule, hasListener: false },
]);

describe.each(["tlfu", "lru", "fifo", "lfu"] as const)("%s", (policy) => {
  it.each(ways)("agrees with a naive model step by step: $name", ({ rule, hasListener }) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(steps, { maxLength: 60 }), (maxSize, script) => {
        const pair = new Pair({ policy, maxSize, ...rule }, hasListener);
        for (const step of script) pair.step(step);
        pair.rest();
      }),
      { numRuns: 120 },
    );
  });
});
