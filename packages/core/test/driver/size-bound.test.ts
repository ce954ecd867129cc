import { describe, expect, it } from "vitest";
import { SizeBound, type WrittenRows } from "../../src/driver.js";

/** A table of so many rows. A row's place is its number: the newest row has the greatest one. */
class Table implements WrittenRows<number> {
  oldest = 0;
  readonly looks: number[] = [];
  readonly #newest: number;
  readonly #removedAtOnce: number;

  constructor(rows: number, removedAtOnce = 1000) {
    this.#newest = rows - 1;
    this.#removedAtOnce = removedAtOnce;
  }

  get size(): number {
    return this.#newest - this.oldest + 1;
  }

  async find(olderThan: number | undefined, skipped: number): Promise<number | undefined> {
    this.looks.push(skipped);
    const found = (olderThan === undefined ? this.#newest : olderThan - 1) - skipped;
    return found < this.oldest ? undefined : found;
  }

  async removeUpTo(place: number): Promise<boolean> {
    const count = Math.min(this.#removedAtOnce, place - this.oldest + 1);
    this.oldest += count;
    return count === this.#removedAtOnce;
  }
}

async function sweep(bound: SizeBound<number>, table: WrittenRows<number>): Promise<number> {
  let steps = 1;
  while (await bound.step(table)) steps++;
  return steps;
}

describe("a bound of a table's size", () => {
  it.each([1, 2, 999, 49_999, 50_000, 50_001, 100_001, 100_002, 130_000])(
    "of %j rows leaves so many, the newest ones",
    async (maxSize) => {
      const table = new Table(135_000);
      await sweep(new SizeBound(maxSize), table);
      expect(table.size).toBe(maxSize);
    },
  );

  it.each([0, 1, 99, 100])("of 100 rows removes none of %j", async (rows) => {
    const table = new Table(rows);
    expect(await sweep(new SizeBound(100), table)).toBe(1);
    expect(table.size).toBe(rows);
  });

  it("looks at 50,000 rows in a step at most", async () => {
    const table = new Table(121_000);
    await sweep(new SizeBound(120_000), table);
    expect(table.looks).toEqual([50_000, 50_000, 19_998]);
  });

  it("removes in small steps", async () => {
    const table = new Table(1000, 10);
    expect(await sweep(new SizeBound(900), table)).toBe(1 + 11);
  });

  it("begins again after an error, and in the next sweep", async () => {
    const table = new Table(1000, 10);
    const bound = new SizeBound<number>(900);
    await bound.step(table);
    await bound.step(table);
    const failing = {
      find: () => Promise.reject(new Error("gone")),
      removeUpTo: () => Promise.reject(new Error("gone")),
    };
    await expect(bound.step(failing)).rejects.toThrow("gone");
    await sweep(bound, table);
    expect([table.size, table.looks]).toEqual([900, [900, 900]]);
    await sweep(bound, table);
    expect(table.looks).toHaveLength(3);
  });
});
