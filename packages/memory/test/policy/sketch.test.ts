import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrequencySketch } from "../../src/policy/sketch.js";
import { fitAll } from "../support/fit-all.js";
import { seeded } from "../support/random.js";

function sketchFor(entries: number): FrequencySketch {
  const sketch = new FrequencySketch();
  fitAll(sketch, entries);
  settle(sketch);
  return sketch;
}

/** Does all pending work. */
function settle(sketch: FrequencySketch): void {
  while (sketch.isAgeing || sketch.blocks < sketch.wanted) sketch.advance(64);
}

function hashes(count: number, seed = 1): number[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => random() | 0);
}

const anyHash = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe("FrequencySketch", () => {
  it("counts a key from 1 and stops at 15", () => {
    const sketch = sketchFor(16);
    const counted = Array.from({ length: 17 }, () => sketch.increment(77));
    expect(counted).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15, 15]);
    expect(sketch.estimate(77)).toBe(15);
  });

  it("estimates 0 for a key that never came", () => {
    expect(sketchFor(16).estimate(123)).toBe(0);
  });

  it("never estimates a key too low", () => {
    fc.assert(
      fc.property(fc.array(anyHash, { maxLength: 300 }), (keys) => {
        const sketch = sketchFor(1);
        const exact = new Map<number, number>();
        for (const key of [...keys, ...keys.slice(0, 50)]) {
          sketch.increment(key);
          exact.set(key, (exact.get(key) ?? 0) + 1);
        }
        for (const [key, count] of exact) {
          expect(sketch.estimate(key)).toBeGreaterThanOrEqual(Math.min(count, 15));
        }
      }),
    );
  });

  it("is right for nearly all keys, even for ten times its capacity", () => {
    const sketch = sketchFor(4_096);
    const keys = hashes(40_960);
    for (const key of keys) sketch.increment(key);
    const mean = keys.reduce((sum, key) => sum + sketch.estimate(key), 0) / keys.length;
    expect(mean).toBeLessThan(2);
  });

  it("never lowers an estimate in any step of growing", () => {
    const sketch = sketchFor(2_048);
    const keys = hashes(4_000);
    for (const key of keys) sketch.increment(key);
    const before = keys.map((key) => sketch.estimate(key));
    fitAll(sketch, 8_000);
    let fallen = 0;
    while (sketch.blocks < sketch.wanted) {
      sketch.advance(1);
      fallen += keys.filter((key, at) => sketch.estimate(key) < before[at]!).length;
    }
    expect(fallen).toBe(0);
    expect(sketch.blocks).toBe(4_000);
  });

  it("halves every estimate at once, however far the sweep is", () => {
    const sketch = sketchFor(1_024);
    const keys = hashes(400);
    for (const [at, key] of keys.entries()) for (let n = 0; n <= at % 15; n++) sketch.increment(key);
    const halved = keys.map((key) => sketch.estimate(key) >>> 1);
    sketch.age();
    for (; sketch.isAgeing; sketch.advance(7)) {
      expect(keys.map((key) => sketch.estimate(key))).toEqual(halved);
    }
    expect(keys.map((key) => sketch.estimate(key))).toEqual(halved);
  });

  it("counts correctly in a block that the sweep has not reached", () => {
    const sketch = sketchFor(1_024);
    for (let n = 0; n < 6; n++) sketch.increment(-1);
    sketch.age();
    sketch.advance(1);
    expect([sketch.increment(-1), sketch.estimate(-1)]).toEqual([4, 4]);
    settle(sketch);
    expect(sketch.estimate(-1)).toBe(4);
  });

  it("raises a key to a frequency that was counted elsewhere, and never lowers one", () => {
    const sketch = sketchFor(1_024);
    sketch.raise(5, 9);
    sketch.raise(5, 3);
    expect(sketch.estimate(5)).toBe(9);
    sketch.age();
    sketch.raise(5, 6);
    expect(sketch.estimate(5)).toBe(6);
    settle(sketch);
    expect(sketch.estimate(5)).toBe(6);
  });

  it("takes no memory for keys that never came", () => {
    const sketch = new FrequencySketch();
    fitAll(sketch, 1_000_000);
    for (let n = 0; n < 10; n++) sketch.advance(32);
    expect(sketch.table.byteLength).toBeLessThanOrEqual(2_048);
  });

  it("frees its memory when it is cleared", () => {
    const sketch = sketchFor(100_000);
    sketch.clear();
    expect([sketch.table.length, sketch.blocks]).toEqual([0, 0]);
    fitAll(sketch, 16);
    expect(sketch.increment(1)).toBe(1);
  });
});
