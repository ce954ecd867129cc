import type { Duration } from "../../duration.js";
import { optionError, refuseUnknownOptions, shown, timerMilliseconds } from "../../option-checks.js";

/** The settings of a snapshot: the option `snapshot` of `memory`. */
export interface SnapshotOptions {
  /** The path of the file. Its folder must exist. Each process needs a file of its own. */
  readonly file: string;
  /** The time between two saves besides the one at `close`. Default: only at `close` and on request. */
  readonly interval?: Duration | undefined;
  /** The most entries that are saved, the most valuable ones first. Default: all. */
  readonly maxEntries?: number | undefined;
  /** The most bytes of the file. Default: 64 MiB. */
  readonly maxBytes?: number | undefined;
}

/** The settings with all defaults. */
export interface SnapshotSettings {
  readonly file: string;
  /** Milliseconds; `undefined` without saves at intervals. */
  readonly interval: number | undefined;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

const defaultMaxBytes = 64 * 1024 * 1024;

/** The most bytes that a file may have. A buffer holds it as a whole. */
const mostBytes = 2 ** 30;

const known = [
  "file",
  "interval",
  "maxEntries",
  "maxBytes",
] as const satisfies readonly (keyof SnapshotOptions)[];

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION` */
export function snapshotSettings(given: string | SnapshotOptions): SnapshotSettings {
  const options: SnapshotOptions = typeof given === "string" ? { file: given } : given;
  refuseUnknownOptions(options, known, "The option snapshot of memory()");
  const { file, interval, maxEntries = Number.POSITIVE_INFINITY, maxBytes = defaultMaxBytes } = options;
  if (typeof file !== "string" || file === "" || file.includes("\0")) {
    throw optionError(
      `The option snapshot of memory() expected the path of a file, got ${shown(file)}. Give a string such as "/var/lib/app/cache.snapshot".`,
    );
  }
  checkCount("maxEntries", maxEntries, Number.POSITIVE_INFINITY);
  checkCount("maxBytes", maxBytes, mostBytes);
  const every =
    interval === undefined ? undefined : timerMilliseconds(interval, "option snapshot.interval of memory()");
  return { file, interval: every, maxEntries, maxBytes };
}

function checkCount(option: string, count: unknown, most: number): void {
  const isWhole = Number.isInteger(count) || count === Number.POSITIVE_INFINITY;
  if (typeof count === "number" && isWhole && count >= 1 && count <= most) return;
  const limit = most === Number.POSITIVE_INFINITY ? "" : `, at most ${most}`;
  throw optionError(
    `The option snapshot.${option} of memory() expected a whole number of at least 1${limit}, got ${shown(count)}.`,
  );
}
