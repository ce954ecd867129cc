import { describe, expect, it } from "vitest";
import type { DiskStorage } from "./disk-storage.js";

/** The targets and options of a storage, as its function takes them. */
export interface OptionCases {
  /** Valid targets: a description, the target, and the storage's label. */
  readonly targets: readonly (readonly [what: string, target: unknown, label: string])[];
  /** Invalid targets: a description, the target, and words of the error. */
  readonly refused: readonly (readonly [what: string, target: unknown, words: string])[];
  /** Invalid options: the name, the value, the error's code and words of the error. */
  readonly options: readonly (readonly [name: string, value: unknown, code: string, words: string])[];
}

/** Wrong values of the options that every storage on the disk has. */
const sharedOptions: OptionCases["options"] = [
  ["connect", "later", "CACHEME_INVALID_OPTION", "option connect"],
  ["commandTimeout", "soon", "CACHEME_INVALID_DURATION", "commandTimeout"],
  ["connectTimeout", 0, "CACHEME_INVALID_DURATION", "connectTimeout"],
  ["sweepInterval", -1, "CACHEME_INVALID_DURATION", "sweepInterval"],
];

/**
 * Tests the target and the options of a storage on the disk.
 *
 * @param name the function's name in messages, such as `sqlite()`
 * @param make makes the storage; the tests give it targets and options of every type
 */
export function describeOptions(
  name: string,
  make: (target: never, options: never) => DiskStorage,
  { targets, refused, options }: OptionCases,
): void {
  const made = (target: unknown, given: object = {}): DiskStorage => make(target as never, given as never);

  describe(`the target of ${name}`, () => {
    it.each(targets)("is %s", (_, target, label) => {
      expect(made(target).label).toBe(label);
    });

    it.each(refused)("is not %s", (_, target, words) => {
      expect(() => made(target)).toThrow(
        expect.objectContaining({ code: "CACHEME_INVALID_OPTION", message: expect.stringContaining(words) }),
      );
      // A target may hold a password.
      expect(() => made(target)).not.toThrow("secret");
    });
  });

  describe(`the options of ${name}`, () => {
    it.each([...sharedOptions, ...options])("refuse %s: %j", (option, value, code, words) => {
      expect(() => made("cache", { [option]: value })).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(words) }),
      );
    });
  });
}
