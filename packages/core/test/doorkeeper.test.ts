import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BloomFilter } from "../src/node/doorkeeper.js";

describe("the filter", () => {
  it("turns a key away the first time, and admits it from the second on", () => {
    const filter = new BloomFilter({ size: 1_000 });

    expect(filter.admits("a")).toBe(false);
    expect(filter.admits("b")).toBe(false);
    expect(filter.admits("a")).toBe(true);
    expect(filter.admits("a")).toBe(true);
  });

  it("recognizes every key that it has seen since the last reset", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 200 }), (keys) => {
        const filter = new BloomFilter({ size: keys.length * 2, falsePositiveRate: 0.3 });
        for (const key of keys) filter.admits(key);
        expect(keys.every((key) => filter.admits(key))).toBe(true);
      }),
    );
  });

  it("forgets everything after `size` requests for any keys", () => {
    const filter = new BloomFilter({ size: 3 });

    filter.admits("a");
    filter.admits("a");
    expect(filter.admits("a")).toBe(true);
    expect(filter.admits("a")).toBe(false);
    expect(filter.admits("a")).toBe(true);
  });

  it.each([0.2, 0.05, 0.01, 0.001])(
    "takes new keys for known ones at a rate of at most %d when it is full",
    (rate) => {
      const size = 20_000;
      // A request adds the key, so the test only uses the last requests before the reset.
      const asked = 4_000;
      const filters = 2;
      let wrong = 0;
      for (let each = 0; each < filters; each++) {
        const filter = new BloomFilter({ size, falsePositiveRate: rate });
        for (let key = 0; key < size - asked; key++) filter.admits(`user:${each}:${key}`);
        for (let key = 0; key < asked; key++) if (filter.admits(`other:${each}:${key}`)) wrong++;
      }

      // The filter is not quite full yet during the test. Bloom's formula gives the number of bits
      // that are set then.
      const hashes = Math.round(-Math.log2(rate));
      const unset = 1 - rate ** (1 / hashes);
      let expected = 0;
      for (let known = size - asked; known < size; known++) {
        expected += filters * (1 - unset ** (known / size)) ** hashes;
      }
      const chance = 5 * Math.sqrt(expected) + 1;
      expect(wrong).toBeLessThan(expected + chance);
      // A filter with a much better rate than the requested one would waste memory.
      expect(wrong).toBeGreaterThan(expected - chance);
    },
  );
});

describe("the options", () => {
  it.each([
    [{ size: 0 }, /size of doorkeeper is 0/],
    [{ size: 1.5 }, /size of doorkeeper is 1.5/],
    [{ size: 1e9 }, /size of doorkeeper is 1000000000.*from 1 to 100,000,000/],
    [{ size: "10" as unknown as number }, /size of doorkeeper is "10"/],
    [{ size: 10, falsePositiveRate: 0 }, /falsePositiveRate of doorkeeper is 0/],
    [{ size: 10, falsePositiveRate: 1 }, /falsePositiveRate of doorkeeper is 1/],
    [{ size: 10, falsePositiveRate: Number.NaN }, /falsePositiveRate of doorkeeper is NaN/],
  ])("refuses %o", (options, message) => {
    expect(() => new BloomFilter(options)).toThrow(message);
    expect(() => new BloomFilter(options)).toThrow(
      expect.objectContaining({ code: "CACHEME_INVALID_OPTION" }),
    );
  });
});
