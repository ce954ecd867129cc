import type { Duration } from "../duration.js";
import { optionError, shown, timerMilliseconds } from "../option-checks.js";
import { tableName } from "./table-name.js";

/** The name of an option, for messages. */
export interface OptionPlace {
  readonly name: string;
  /** The function that takes the options, such as `"redis()"`. */
  readonly where: string;
}

/** A kind of value that an option may have. */
export interface OptionKind<T> {
  /**
   * Returns the checked value.
   *
   * @throws ConfigurationError with the option, its value, and a valid one
   */
  check(value: unknown, place: OptionPlace): T;
  /** Returns the value of an address's parameter, not yet checked. Default: the string itself. */
  fromText?(text: string): unknown;
}

/**
 * Makes a kind from a test. For authors of storages.
 *
 * @param expected completes the sentence "Give …"
 * @example
 * ```ts
 * const ratio = optionKind("a number from 0 to 1", (value): value is number => Number(value) >= 0 && Number(value) <= 1);
 * ```
 */
export function optionKind<T>(
  expected: string,
  fits: (value: unknown) => value is T,
  fromText?: (text: string) => unknown,
): OptionKind<T> {
  return {
    check(value, place) {
      if (fits(value)) return value;
      throw invalidOption(value, place, expected);
    },
    ...(fromText && { fromText }),
  };
}

/** Returns the error of an option with a value of another kind. For authors of storages. */
export function invalidOption(value: unknown, { name, where }: OptionPlace, expected: string): Error {
  return optionError(`The option ${name} of ${where} is ${shown(value)}. Give ${expected}.`);
}

/** Makes a kind for some words, such as `oneOf("eager", "lazy")`. */
export function oneOf<const Word extends string>(...words: readonly Word[]): OptionKind<Word> {
  const quoted = words.map((word) => JSON.stringify(word));
  const expected = `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
  return optionKind(expected, (value): value is Word => words.some((word) => word === value));
}

/** `true` or `false`. */
export const flag: OptionKind<boolean> = optionKind(
  "true or false",
  (value): value is boolean => typeof value === "boolean",
  (text) => (/^(true|false)$/.test(text) ? text === "true" : text),
);

/**
 * Makes a kind for a whole number from `least` on, such as `wholeNumber(1)`, perhaps of a unit:
 * `wholeNumber(65_536, "bytes")`.
 */
export function wholeNumber(least: number, unit?: string): OptionKind<number> {
  const expected = unit === undefined ? `a whole number from ${least}` : `whole ${unit}, ${least} at least`;
  const fits = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= least;
  return optionKind(expected, fits, (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text));
}

/** The port of a server. */
export const port: OptionKind<number> = optionKind(
  "a number from 1 to 65535",
  (value): value is number => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536,
);

/** A duration that a timer can wait for. The checked value is in milliseconds. */
export const timer: OptionKind<number> = {
  // The check itself refuses every other type.
  check: (value, { name, where }) => timerMilliseconds(value as Duration, `option ${name} of ${where}`),
  fromText: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text),
};

/**
 * The name of a table, perhaps with its schema. The checked value is the list of the name's parts.
 */
export const tableOption: OptionKind<readonly string[]> = {
  // The check itself refuses every other type.
  check: (value, { where }) => tableName(value as string, where),
};
