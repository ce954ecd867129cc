import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secureRandom } from "../../src/random.js";
import { KeyHash } from "../../src/table/key-hash.js";
import { seeded } from "../support/random.js";

describe("KeyHash", () => {
  const hash = new KeyHash(seeded(1));

  it("is the same for equal strings, however they were built", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.nat(200), (text, at) => {
        expect(hash.ofString(4, text.slice(0, at) + text.slice(at))).toBe(hash.ofString(4, text));
      }),
    );
  });

  it("depends on the secret", () => {
    const other = new KeyHash(seeded(2));
    const same = Array.from({ length: 1_000 }, (_, i) => `key${i}`).filter(
      (key) => hash.ofString(0, key) === other.ofString(0, key),
    );
    expect(same).toEqual([]);
    expect(new KeyHash(secureRandom()).ofString(0, "a")).not.toBe(
      new KeyHash(secureRandom()).ofString(0, "a"),
    );
  });

  it("distinguishes spaces, lengths, zero characters, and blocks of long strings", () => {
    const texts = [
      "",
      "\0",
      "\0\0",
      "a",
      "a\0",
      "\0a",
      "x".repeat(64),
      "x".repeat(65),
      "x".repeat(128),
      "x".repeat(129),
    ];
    const long = "ab".repeat(64);
    texts.push(long, long.slice(64) + "ba".repeat(32), `${"ba".repeat(32)}${long.slice(64)}`);
    const hashes = texts.flatMap((text) => [0, 1, 2, 50].map((space) => hash.ofString(space, text)));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("collides no more often than by chance, in the high bits and in the low ones", () => {
    const families = [
      (i: number) => `item:${i}`,
      (i: number) => String.fromCharCode(i & 0xff, i >>> 8),
      (i: number) => "a".repeat(60) + i.toString(2),
      (i: number) => `${i}`.padStart(90, "0"),
    ];
    for (const family of families) {
      const hashes = Array.from({ length: 1 << 16 }, (_, i) => hash.ofString(0, family(i)));
      for (const part of [(h: number) => h & 0xffff, (h: number) => h >>> 16]) {
        // 65,536 balls in as many bins leave 36.8 % of the bins empty.
        const used = new Set(hashes.map(part)).size / (1 << 16);
        expect(used).toBeGreaterThan(0.6);
        expect(used).toBeLessThan(0.67);
      }
    }
  });

  it("does not collide on the strings that collide in every polynomial hash", () => {
    let thueMorse = "a";
    let inverse = "b";
    for (let i = 0; i < 11; i++) [thueMorse, inverse] = [thueMorse + inverse, inverse + thueMorse];
    expect(hash.ofString(0, thueMorse)).not.toBe(hash.ofString(0, inverse));
  });

  it("takes 0 and -0 for one number, and distinguishes other numbers", () => {
    expect(hash.ofNumber(-0)).toBe(hash.ofNumber(0));
    const numbers = [0, 1, -1, 0.5, 1.5, 2 ** 31, -(2 ** 31), 2 ** 53, 1e300, Number.POSITIVE_INFINITY];
    expect(new Set(numbers.map((number) => hash.ofNumber(number))).size).toBe(numbers.length);
  });

  it("returns the same hash for an object, symbol or other key each time", () => {
    const keys = [
      {},
      [],
      () => 0,
      Symbol("a"),
      Symbol("a"),
      Symbol.for("a"),
      1n,
      -1n,
      null,
      undefined,
      true,
      false,
      Number.NaN,
    ];
    const hashes = keys.map((key) => hash.ofOther(key));
    expect(keys.map((key) => hash.ofOther(key))).toEqual(hashes);
    expect(new Set(hashes).size).toBe(keys.length);
  });
});
