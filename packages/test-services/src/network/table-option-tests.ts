import { describe, expect, it } from "vitest";

/** An option, its wrong values, the error's code and words of the error. */
type Case = readonly [name: string, values: readonly unknown[], code: string, words: string];

const durations = ["5 s", "-5s", "soon", 0, -1, Number.NaN, "100d", null];
const names = ["", "a b", "1st", 'a"b', "a`b", "a; DROP TABLE b", "a.b.c", "ä", "x".repeat(64), 7, null];

const cases: readonly Case[] = [
  ["commandTimeout", durations, "CACHEME_INVALID_DURATION", "commandTimeout"],
  ["connect", ["later", null], "CACHEME_INVALID_OPTION", 'Give "eager" or "lazy"'],
  ["connectTimeout", durations, "CACHEME_INVALID_DURATION", "connectTimeout"],
  ["createTable", ["no", 1, null], "CACHEME_INVALID_OPTION", "Give true or false"],
  ["maxSize", [0, -1, 1.5, "1000", null], "CACHEME_INVALID_OPTION", "Give a whole number from 1"],
  ["sweepInterval", durations, "CACHEME_INVALID_DURATION", "sweepInterval"],
  ["tabel", ["cacheme"], "CACHEME_INVALID_OPTION", 'has no option "tabel". It has: commandTimeout,'],
  ["table", names, "CACHEME_INVALID_OPTION", "option table"],
];

/**
 * Tests the options of a storage in a table of an SQL server.
 *
 * @param name the function's name in messages, such as `postgres()`
 * @param make makes the storage; the tests give it options of every type
 */
export function describeTableOptions(name: string, make: (options: never) => unknown): void {
  const made = (options: unknown) => () => make(options as never);

  describe(`the options of ${name}`, () => {
    it.each(cases)("refuse %s: %j", (option, values, code, words) => {
      for (const value of values) {
        expect(made({ [option]: value })).toThrow(
          expect.objectContaining({ code, message: expect.stringContaining(words) }),
        );
      }
    });

    it("are an object", () => {
      expect(made(null)).toThrow("expected an object");
    });
  });
}
