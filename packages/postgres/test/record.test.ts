import { describe, expect, it } from "vitest";
import { behind, inLockOrder, longKeys } from "../src/record.js";

/** Three bytes of UTF-8 each make the longest key of one column. */
const longestIndexedKey = 600;
const indexedKey = (key: string) => longKeys.indexed(key);

const bytes = (text: string) => Buffer.from(text);
const before = (one: string, other: string) => Buffer.compare(bytes(one), bytes(other)) < 0;

describe("the indexed form of a key", () => {
  it("is the key itself up to 600 units, and never more than an index entry may have", () => {
    const longest = "語".repeat(longestIndexedKey);
    expect(indexedKey(longest)).toBe(longest);
    for (const key of [longest, `${longest}語`, "語".repeat(2000), "😀".repeat(1000)]) {
      expect(bytes(indexedKey(key)).length).toBeLessThan(2000);
    }
  });

  it("tells long keys apart that differ in their last unit", () => {
    const long = "k".repeat(1999);
    expect(indexedKey(`${long}a`)).not.toBe(indexedKey(`${long}b`));
  });

  it("begins as the key does, with whole characters", () => {
    const key = `${"a".repeat(199)}${"😀".repeat(500)}`;
    expect(indexedKey(key).startsWith(longKeys.beginning(key))).toBe(true);
    expect(longKeys.beginning(key)).toBe("a".repeat(199));
  });
});

describe("the end of a range", () => {
  it.each([
    ["abc", "abd"],
    ["a\u{10FFFF}", "b"],
    ["\uD7FF", "\uE000"],
    ["\uFFFF", "\u{10000}"],
  ])("behind what begins with %j is %j", (text, end) => {
    expect(behind(text)).toBe(end);
    expect(before(`${text}\u{10FFFF}\u{10FFFF}`, end)).toBe(true);
  });

  it.each(["", "\u{10FFFF}"])("behind what begins with %j is behind all keys", (text) => {
    expect(before("\u{10FFFF}".repeat(longestIndexedKey / 2), behind(text))).toBe(true);
  });
});

describe("the order of a batch", () => {
  it("is that of the stored keys", () => {
    const records = ["b", "a", "c"].map((key, index) => ({ key, index }));
    expect(inLockOrder(records)).toEqual([
      ["a", { key: "a", index: 1 }],
      ["b", { key: "b", index: 0 }],
      ["c", { key: "c", index: 2 }],
    ]);
  });
});
