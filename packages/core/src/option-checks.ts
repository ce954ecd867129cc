import { type Duration, milliseconds } from "./duration.js";
import { ConfigurationError } from "./errors.js";

/** The longest delay of a timer of Node.js. With a longer one a timer fires at once. */
const longestTimer = 2 ** 31 - 1;

/** Returns the error for an invalid option. For authors of storages. */
export function optionError(message: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError("CACHEME_INVALID_OPTION", message, { cause });
}

/** Returns a value as messages show it. An object is not shown, because it may hold a password. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/**
 * Refuses an unknown option, such as a typing error.
 *
 * @param known the known options
 * @param where the receiver of the options, such as `"redis()"`
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 */
export function refuseUnknownOptions(options: object, known: readonly string[], where: string): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw optionError(`${where} expected an object as its options, got ${shown(options)}.`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw optionError(`${where} has no option ${shown(unknown)}. It has: ${known.join(", ")}.`);
}

/**
 * Returns a duration that a timer can wait for, in milliseconds.
 *
 * @param option the option's name in the error, such as `"option sweepInterval of mysql()"`
 * @throws ConfigurationError `CACHEME_INVALID_DURATION`
 */
export function timerMilliseconds(duration: Duration, option: string): number {
  const value = milliseconds(duration, option);
  if (value <= longestTimer) return value;
  throw new ConfigurationError(
    "CACHEME_INVALID_DURATION",
    `The ${option} is ${shown(duration)}. Give at most ${longestTimer} milliseconds.`,
  );
}
