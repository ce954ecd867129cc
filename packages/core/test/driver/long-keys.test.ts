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

/** An index as that of PostgreSQL. Three bytes of UTF-8 each make its longest whole key. */
const index = new LongKeys({ longest: 1800, kept: 200 });
const longestIndexedKey = 600;

const before = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other)) < 0;

describe("the indexed form of a key", () => {
  it("is the key itself up to 600 units, and never more than an index entry may have", () => {
    const longest = "語".repeat(longestIndexedKey);
    expect(index.indexed(longest)).toBe(longest);
    for (const key of [longest, `${longest}語`, "語".repeat(2000), "😀".repeat(1000)]) {
      expect(Buffer.byteLength(index.indexed(key))).toBeLessThan(2000);
    }
  });

  it("tells long keys apart that differ in their last unit", () => {
    const long = "k".repeat(1999);
    expect(index.indexed(`${long}a`)).not.toBe(index.indexed(`${long}b`));
  });

  it("begins as the key does, with whole characters", () => {
    const key = `${"a".repeat(199)}${"😀".repeat(500)}`;
    expect(index.indexed(key).startsWith(index.beginning(key))).toBe(true);
    expect(index.beginning(key)).toBe("a".repeat(199));
  });
});

describe("the end of a range", () => {
  it.each([
    ["abc", "abd"],
    ["a\u{10FFFF}", "b"],
    ["\uD7FF", "\uE000"],
    ["\uFFFF", "\u{10000}"],
  ])("behind what begins with %j is %j", (text, end) => {
    expect(index.behind(text)).toBe(end);
    expect(before(`${text}\u{10FFFF}\u{10FFFF}`, end)).toBe(true);
  });

  it.each(["", "\u{10FFFF}"])("behind what begins with %j is behind all keys", (text) => {
    expect(before("\u{10FFFF}".repeat(longestIndexedKey / 2), index.behind(text))).toBe(true);
  });
});

describe("the order of a batch", () => {
  it("is that of the stored keys", () => {
    const records = ["b", "a", "c"].map((key, place) => ({ key, place }));
    expect(index.inLockOrder(records)).toEqual([
      { indexed: "a", longKey: undefined, item: { key: "a", place: 1 } },
      { indexed: "b", longKey: undefined, item: { key: "b", place: 0 } },
      { indexed: "c", longKey: undefined, item: { key: "c", place: 2 } },
    ]);
  });

  it("keeps the whole of a long key beside its stored form", () => {
    const key = "k".repeat(1801);
    const [row] = index.inLockOrder([{ key }]);
    expect(row).toEqual({ indexed: index.indexed(key), longKey: key, item: { key } });
  });
});
