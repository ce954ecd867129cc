import { type CachemeErrorDetails, ConfigurationError } from "./errors.js";

/**
 * A length of time: milliseconds as a number, or a number with a unit. Units are `ms`, `s`, `m`
 * (minutes), `h` and `d`. Fractions are allowed if the result is at least one millisecond.
 *
 * The type accepts some wrong strings (`"-5s"`, `"5 s"`), which are refused at run time.
 *
 * @example
 * ```ts
 * const ttls: Duration[] = [1500, "250ms", "30s", "1.5h", "7d"];
 * ```
 */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const millisecondsIn = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const durationText = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * The longest duration: ten thousand years. A longer one is a typing error, and would not fit the
 * storages' clocks.
 */
const longest = 10_000 * 365 * millisecondsIn.d;

/**
 * Returns a duration in whole milliseconds. For authors of storages: their options take durations
 * too.
 *
 * @param duration the user's value
 * @param what the option's name in the error, such as `"ttl of storage \"redis\" in node \"user\""`
 * @param about the fields of the error
 * @throws ConfigurationError `CACHEME_INVALID_DURATION` unless it is a finite length of at least
 *   one millisecond
 * @example
 * ```ts
 * const timeout = milliseconds("2s", "commandTimeout of redis()"); // 2000
 * ```
 */
export function milliseconds(duration: Duration, what: string, about: CachemeErrorDetails = {}): number {
  const value = typeof duration === "number" ? duration : parse(duration);
  if (!(value >= 1 && value <= longest)) {
    throw new ConfigurationError(
      "CACHEME_INVALID_DURATION",
      `The ${what} is ${describe(duration)}, which is not a duration. ` +
        'Give at least 1 as a number of milliseconds, or a string such as "250ms", "30s", "5m", "2h" or "1d".',
      about,
    );
  }
  return Math.round(value);
}

/** Returns the milliseconds, `NaN` if the text is not a duration. */
function parse(text: unknown): number {
  const match = typeof text === "string" ? durationText.exec(text) : null;
  if (match === null) return Number.NaN;
  const [, amount, unit] = match;
  return Number(amount) * millisecondsIn[unit as keyof typeof millisecondsIn];
}

function describe(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
