import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  backOff,
  checkKeys,
  checkKeysOf,
  connectionSettings,
  generationFrom,
  generationText,
  KeyPattern,
  refuseUnknownOptions,
  shown,
  tableName,
  timerMilliseconds,
} from "../../src/driver.js";
import { noteChecked } from "../../src/storage/stored-key.js";
import { thrownBy } from "../support/reason.js";

describe("checkKeys", () => {
  it("does not look at a long list whose keys were checked before, nor do the checks of records", () => {
    const keys = Array.from({ length: 6 }, () => "a\nb");
    const items = keys.map((key) => ({ key }));
    expect(() => checkKeys(keys, "s")).toThrow();
    expect(() => checkKeysOf(items, "s")).toThrow();

    for (const list of [keys, items]) noteChecked(list);

    expect(() => checkKeys(keys, "s")).not.toThrow();
    expect(() => checkKeysOf(items, "s")).not.toThrow();
    expect(() => checkKeys([...keys], "s")).toThrow();
    expect(() => checkKeysOf([...items], "s")).toThrow();
  });

  it("takes strings of 1 to 2,000 characters", () => {
    expect(() =>
      checkKeys(["a", "ä 😀 %_*?[]{}'\"`\\", "x".repeat(2000), "語".repeat(2000)], "s"),
    ).not.toThrow();
  });

  it.each([
    ["", /an empty key/],
    ["x".repeat(2001), /a key of 2,001 characters/],
    ["a\nb", /control character/],
    ["a\u0000", /control character/],
    ["a\u0085", /control character/],
    ["a\ud83d", /half a surrogate pair/],
    [5, /a number as a key/],
    [undefined, /undefined as a key/],
  ])("refuses %o", (key, words) => {
    expect(thrownBy(() => checkKeys(["good", key as string], "redis://here"))).toMatchObject({
      code: "CACHEME_INVALID_KEY",
      message: expect.stringMatching(words),
    });
  });
});

describe("KeyPattern", () => {
  it("matches its literals in order, with any string between", () => {
    const pattern = KeyPattern.of("user:", ":", "mail");
    expect(["user:1:mail", "user::mail", "user:a:b:mail"].filter((key) => pattern.matches(key))).toHaveLength(
      3,
    );
    expect(
      ["user:mail", "user:1:mail:x", "xuser:1:mail", "USER:1:mail"].some((key) => pattern.matches(key)),
    ).toBe(false);
  });

  it("is its one literal if there is only one", () => {
    expect(KeyPattern.of("a").matches("a")).toBe(true);
    expect(KeyPattern.of("a").matches("ab")).toBe(false);
  });

  it("escapes the special characters of each language", () => {
    const pattern = KeyPattern.startingWith("a*b?c[d]e^f\\g%h_i.j");
    expect(pattern.glob()).toBe("a\\*b\\?c\\[d\\]e\\^f\\\\g%h_i.j*");
    expect(pattern.like()).toBe("a*b?c[d]e^f\\\\g\\%h\\_i.j%");
    expect(pattern.prefix).toBe("a*b?c[d]e^f\\g%h_i.j");
  });

  it("agrees with a search that tries every split of the key, whatever the literals are", () => {
    fc.assert(
      fc.property(literalsOfFew, keyOfFew, (literals, key) => {
        expect(KeyPattern.of(...literals).matches(key)).toBe(matchesBySplitting(literals, key));
      }),
      { numRuns: 5000 },
    );
  });

  it("agrees with the regular expression that it makes", () => {
    fc.assert(
      fc.property(literalsOfFew, keyOfFew, (literals, key) => {
        const pattern = KeyPattern.of(...literals);
        expect(pattern.matches(key)).toBe(new RegExp(pattern.regExp(), "s").test(key));
      }),
      { numRuns: 5000 },
    );
  });

  it("has an outline of two literals at most, which leaves out no key that matches", () => {
    fc.assert(
      fc.property(literalsOfFew, keyOfFew, (literals, key) => {
        const pattern = KeyPattern.of(...literals);
        expect(pattern.outline.literals.length).toBeLessThanOrEqual(2);
        if (pattern.matches(key)) expect(pattern.outline.matches(key)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it("reads a long key once, however many literals it has", () => {
    const pattern = KeyPattern.of("", ...Array.from({ length: 50 }, () => "a"), "b");
    expect(pattern.matches("a".repeat(100_000))).toBe(false);
    expect(pattern.matches(`${"a".repeat(100_000)}b`)).toBe(true);
  });
});

const few = fc.string({ unit: fc.constantFrom("a", "b", "*", ".", "\\", "[", "%", "\u2028"), maxLength: 4 });
const literalsOfFew = fc
  .tuple(few, fc.array(few, { maxLength: 4 }))
  .map(([first, rest]): [string, ...string[]] => [first, ...rest]);
const keyOfFew = fc.array(few, { maxLength: 5 }).map((parts) => parts.join(""));

/**
 * The definition itself. A single literal is the key. Otherwise the first literal begins the key,
 * and the others match a rest of the rest.
 */
function matchesBySplitting([first = "", ...rest]: readonly string[], key: string): boolean {
  if (rest.length === 0) return key === first;
  if (!key.startsWith(first)) return false;
  const left = key.slice(first.length);
  return Array.from({ length: left.length + 1 }, (_, skipped) => left.slice(skipped)).some((tail) =>
    matchesBySplitting(rest, tail),
  );
}

describe("generations as strings", () => {
  it("come back as they went in", () => {
    const generation = { id: "9f-A_z0", at: 1_763_700_000_123 };
    expect(generationText(generation)).toBe("9f-A_z0@1763700000123");
    expect(generationFrom(Buffer.from(generationText(generation)))).toEqual(generation);
  });

  it.each([undefined, "", "@1", "a@", "a@x", "a b@1", `${"a".repeat(65)}@1`, "value"])(
    "are not %o",
    (text) => {
      expect(generationFrom(text === undefined ? undefined : Buffer.from(text))).toBeUndefined();
    },
  );
});

describe("connectionSettings", () => {
  it("has defaults, and reads durations", () => {
    expect(connectionSettings({}, "couch()")).toEqual({
      connect: "eager",
      commandTimeout: 1000,
      connectTimeout: 2000,
    });
    expect(
      connectionSettings({ connect: "lazy", commandTimeout: "1.5s", connectTimeout: 10 }, "couch()"),
    ).toEqual({
      connect: "lazy",
      commandTimeout: 1500,
      deadline: 1500,
      connectTimeout: 10,
    });
  });

  it.each([
    [{ connect: "later" }, "CACHEME_INVALID_OPTION"],
    [{ commandTimeout: 0 }, "CACHEME_INVALID_DURATION"],
    [{ commandTimeout: "soon" }, "CACHEME_INVALID_DURATION"],
    [{ connectTimeout: "30d" }, "CACHEME_INVALID_DURATION"],
  ])("refuses %o", (options, code) => {
    expect(thrownBy(() => connectionSettings(options as object, "couch()"))).toMatchObject({
      code,
      message: expect.stringMatching(/couch\(\)/),
    });
  });
});

describe("tableName", () => {
  it("takes a name, and one with its schema", () => {
    expect(tableName("cacheme", "x()")).toEqual(["cacheme"]);
    expect(tableName("Cache_1.entries", "x()")).toEqual(["Cache_1", "entries"]);
  });

  it.each(["", "1a", "a-b", 'a"b', "a`b", "a.b.c", "a.", "a;drop", "x".repeat(64), "tä", undefined])(
    "refuses %o",
    (name) => {
      expect(thrownBy(() => tableName(name as string, "postgres()"))).toMatchObject({
        code: "CACHEME_INVALID_OPTION",
      });
    },
  );
});

describe("backOff", () => {
  it("doubles from 50 ms to 2 s, and leaves out up to a half", () => {
    const longest = [0, 1, 5, 6, 50].map((attempt) => backOff(attempt, () => 1));
    expect(longest).toEqual([50, 100, 1600, 2000, 2000]);
    expect(backOff(0, () => 0)).toBe(25);
  });
});

describe("the checks of options", () => {
  it("name the unknown option and the known ones", () => {
    expect(() => refuseUnknownOptions({ table: "a" }, ["table", "sweepInterval"], "couch()")).not.toThrow();
    expect(
      thrownBy(() => refuseUnknownOptions({ tabel: "a" }, ["table", "sweepInterval"], "couch()")),
    ).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
      message: 'couch() has no option "tabel". It has: table, sweepInterval.',
    });
    for (const options of [null, [], "x"]) {
      expect(thrownBy(() => refuseUnknownOptions(options as object, [], "couch()"))).toMatchObject({
        code: "CACHEME_INVALID_OPTION",
      });
    }
  });

  it("show no object, because it may hold a password", () => {
    expect(["a", 1, null, { password: "secret" }, ["secret"]].map(shown)).toEqual([
      '"a"',
      "1",
      "null",
      "an object",
      "a list",
    ]);
  });

  it("take no duration that a timer cannot wait for", () => {
    expect(timerMilliseconds("24d", "option x of y()")).toBe(24 * 86_400_000);
    expect(thrownBy(() => timerMilliseconds("25d", "option x of y()"))).toMatchObject({
      code: "CACHEME_INVALID_DURATION",
    });
  });
});
