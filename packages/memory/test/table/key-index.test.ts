import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyIndex } from "../../src/table/key-index.js";
import { checkIndex } from "../check/cache.js";
import { fitAll } from "../support/fit-all.js";
import { seeded } from "../support/random.js";

/** An index over slots. The test chooses the hashes of the keys. */
class Indexed {
  readonly index = new KeyIndex<string, number>();
  readonly held = new Map<string, number>();
  readonly #hashOf: (key: string) => number;

  constructor(hashOf: (key: string) => number) {
    this.#hashOf = hashOf;
  }

  add(key: string): void {
    if (this.index.isFull) fitAll(this.index, Math.max(16, 2 * this.index.slotCount));
    const hash = this.#hashOf(key);
    const slot = this.index.allocate(key, 0, hash, 0);
    this.index.addKey(hash, slot);
    this.held.set(key, slot);
  }

  remove(key: string): void {
    const slot = this.held.get(key)!;
    this.held.delete(key);
    this.index.removeKey(this.#hashOf(key), slot);
    this.index.release(slot);
  }

  /** Exchanges one key for another in the same slot, if the table is not being replaced. */
  exchange(key: string, by: string): void {
    const slot = this.held.get(key)!;
    this.held.delete(key);
    this.index.takeOut(slot);
    this.index.release(slot);
    const next = this.index.allocate(by, 0, this.#hashOf(by), 0);
    this.index.putIn(next);
    this.held.set(by, next);
  }

  find(key: string): number {
    return this.index.findString(0, key, this.#hashOf(key));
  }

  check(): void {
    checkIndex(this.index, new Set(this.held.values()), this.index.hashes);
  }
}

describe("KeyIndex", () => {
  it("finds what a Map finds while it grows and shrinks, whatever the hashes", () => {
    const hashes = fc.constantFrom(1, 3, 17, 0xffff);
    const script = fc.array(fc.tuple(fc.integer({ min: 0, max: 150 }), fc.boolean()), { maxLength: 300 });
    fc.assert(
      fc.property(hashes, script, (spread, steps) => {
        const indexed = new Indexed(
          (key) => (Math.imul(Number(key), 0x9e3779b1) & spread) | (Number(key) << 27),
        );
        for (const [number, adds] of steps) {
          const key = String(number);
          if (indexed.held.has(key) !== adds) {
            const [oldest] = indexed.held.keys();
            if (!adds) indexed.remove(key);
            else if (oldest === undefined || indexed.index.old !== null || number % 2 === 0) indexed.add(key);
            else indexed.exchange(oldest, key);
          }
          indexed.check();
          expect(indexed.find(key)).toBe(indexed.held.get(key) ?? -1);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("replaces its table bit by bit, both ways, without losing an entry", () => {
    const random = seeded(7);
    const hashes = new Map<string, number>();
    const indexed = new Indexed((key) => {
      const hash = hashes.get(key) ?? random() | 0;
      hashes.set(key, hash);
      return hash;
    });
    let replacing = 0;
    for (let i = 0; i < 5_000; i++) {
      indexed.add(`k${i}`);
      if (indexed.index.old !== null) replacing++;
      if (i % 97 === 0) indexed.check();
    }
    expect(replacing).toBeGreaterThan(500);
    for (let i = 0; i < 5_000; i++) expect(indexed.find(`k${i}`)).toBe(indexed.held.get(`k${i}`));
    const largest = indexed.index.table.length;
    for (let i = 0; i < 4_990; i++) {
      indexed.remove(`k${i}`);
      if (i % 97 === 0) indexed.check();
    }
    for (let i = 4_990; i < 5_000; i++) expect(indexed.find(`k${i}`)).toBe(indexed.held.get(`k${i}`));
    // Each replacement takes some operations, and the next one starts later.
    for (let i = 0; i < 2_000; i++) {
      indexed.add("last");
      indexed.remove("last");
    }
    indexed.check();
    expect(indexed.index.table.length).toBeLessThan(largest / 16);
  });

  it("distinguishes equal keys in different spaces", () => {
    const index = new KeyIndex<string, number>();
    fitAll(index, 16);
    for (const space of [0, 1, 2]) index.addKey(5, index.allocate("same", space, 5, space));
    for (const space of [0, 1, 2]) expect(index.valueAt(index.findString(space, "same", 5))).toBe(space);
    expect(index.findString(3, "same", 5)).toBe(-1);
  });
});
