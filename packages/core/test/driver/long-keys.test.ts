import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LongKeys } from "../../src/driver.js";

const longKeys = new LongKeys({ longest: 60, kept: 20 });

/** Keys of one to four bytes a character, around the lengths that matter. */
const keys = fc.string({ unit: fc.constantFrom("a", "b", "ä", "語", "😀"), minLength: 1, maxLength: 80 });

function formOf(beginning: string): RegExp {
  return new RegExp(`^${beginning}${String.fromCharCode(1)}[\\w-]{43}$`);
}

describe("a long key", () => {
  it("begins with 60 bytes and one more", () => {
    expect(
      ["x".repeat(60), "x".repeat(61), "語".repeat(20), "語".repeat(21)].map((key) => longKeys.isLong(key)),
    ).toEqual([...[false, true, false, true]]);
  });

  it("is stored under its beginning, a control character and its SHA-256", () => {
    expect(longKeys.indexed("x".repeat(61))).toMatch(formOf("x".repeat(20)));
    expect(longKeys.indexed("x".repeat(60))).toBe("x".repeat(60));
  });

  it("is cut between two characters", () => {
    expect(longKeys.indexed("語".repeat(30))).toMatch(formOf("語".repeat(6)));
    expect(longKeys.beginning("😀".repeat(30))).toBe("😀".repeat(5));
  });

  it("has a stored form of its own, which is never too long", () => {
    fc.assert(
      fc.property(keys, keys, (one, other) => {
        const [first, second] = [longKeys.indexed(one), longKeys.indexed(other)];
        expect(Buffer.byteLength(first)).toBeLessThanOrEqual(64);
        expect(first === second).toBe(one === other);
      }),
    );
  });

  it("is found from the beginning of each of its prefixes", () => {
    fc.assert(
      fc.property(keys, fc.nat(80), (key, length) => {
        const prefix = Array.from(key).slice(0, length).join("");
        expect(longKeys.indexed(key).startsWith(longKeys.beginning(prefix))).toBe(true);
      }),
    );
  });
});
