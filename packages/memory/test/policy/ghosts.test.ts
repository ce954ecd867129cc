import { describe, expect, it } from "vitest";
import { Ghosts, NEVER } from "../../src/policy/ghosts.js";
import { seeded } from "../support/random.js";

function hashes(count: number): number[] {
  const random = seeded(3);
  return Array.from({ length: count }, () => random() | 0);
}

/** A table whose clock counts the added keys. */
class Counted {
  readonly ghosts = new Ghosts();
  readonly #period: number;
  #now = 0;

  constructor(period: number) {
    this.#period = period;
  }

  record(hash: number): void {
    this.ghosts.add(hash, this.#now++, this.#period, this.#period);
  }

  has(hash: number): boolean {
    return this.ghosts.age(hash, this.#now) < this.#period;
  }
}

describe("Ghosts", () => {
  it("knows no key at first", () => {
    expect(new Ghosts().age(1, 0)).toBe(NEVER);
  });

  it.each([1, 16, 160, 5_000])("remembers nearly all of the last %i keys, and none much older", (period) => {
    const counted = new Counted(period);
    const left = hashes(period * 6);
    for (const hash of left) counted.record(hash);
    const recent = left.slice(-period + 1).filter((hash) => counted.has(hash));
    expect(recent.length).toBeGreaterThanOrEqual((period - 1) * 0.85);
    expect(left.filter((hash) => counted.has(hash)).length).toBeLessThanOrEqual(period * 1.1);
  });

  it("remembers the last time that a key left", () => {
    const counted = new Counted(20);
    const [first, ...others] = hashes(100) as [number, ...number[]];
    for (const hash of others) {
      counted.record(first);
      counted.record(hash);
    }
    expect(counted.has(first)).toBe(true);
  });

  it("forgets by the caller's clock, whether or not other keys leave", () => {
    const ghosts = new Ghosts();
    ghosts.add(0x7777, 1_000, 320, 40);
    expect([1_000, 1_300, 1_330, 2_000].map((now) => ghosts.age(0x7777, now))).toEqual([0, 304, 336, 1_008]);
  });

  it("starts again if it must remember many more keys, or many fewer", () => {
    const ghosts = new Ghosts();
    const known = (): boolean[] => [0x1111, 0x2222, 0x3333].map((hash) => ghosts.age(hash, 0) < 10);
    ghosts.add(0x1111, 0, 10, 10);
    ghosts.add(0x2222, 0, 1_000, 1_000);
    expect(ghosts.table.length).toBeGreaterThanOrEqual(2_000);
    expect(known()).toEqual([false, true, false]);
    ghosts.add(0x3333, 0, 10, 10);
    expect(ghosts.table.length).toBeLessThanOrEqual(64);
    expect(known()).toEqual([false, false, true]);
  });

  it("frees its memory when it is cleared", () => {
    const ghosts = new Ghosts();
    ghosts.add(0x1111, 0, 1_000, 1_000);
    ghosts.clear();
    expect([ghosts.table.length, ghosts.age(0x1111, 0)]).toEqual([0, NEVER]);
    ghosts.add(0x2222, 0, 10, 10);
    expect(ghosts.age(0x2222, 0)).toBe(0);
  });
});
