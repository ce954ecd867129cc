import { optionError, refuseUnknownOptions, shown } from "../option-checks.js";

/** The progress of a warm-up. */
export interface WarmProgress {
  /** The number of values that were loaded and stored. */
  readonly warmed: number;
  /** The number of values that a tier had, so that they were not loaded. */
  readonly fresh: number;
  /** The number of nodes that could not be loaded, or whose value a remote tier has not taken. */
  readonly failed: number;
  /** The number of nodes; `undefined` if it is not known. */
  readonly total: number | undefined;
}

/** The options of `warm`. */
export interface WarmOptions {
  /** The most batches that are under way at once. Default: 4. */
  readonly concurrency?: number | undefined;
  /**
   * The number of nodes of one batch: one `loadAll`, and one round trip of each kind. A batch has at
   * most the nodes of one second of the `rate`. Default: 1,000.
   */
  readonly batch?: number | undefined;
  /** The most nodes a second, such as for a database that serves users meanwhile. Default: no limit. */
  readonly rate?: number | undefined;
  /** The number of nodes, if they come from an iterator and you know it. Default: a list's length. */
  readonly total?: number | undefined;
  /** Called after each batch. If it throws, the warm-up ends with that error. */
  readonly onProgress?: ((progress: WarmProgress) => void) | undefined;
  /**
   * Whether to show a progress bar on a terminal, by the package `@clack/prompts`, which you
   * install. Without a terminal nothing is shown. Default: false.
   */
  readonly progressBar?: boolean | undefined;
  /**
   * Ends the warm-up: no further batch begins, and `warm` rejects with the signal's reason. It waits
   * for the batches under way, and not for an iterator.
   */
  readonly signal?: AbortSignal | undefined;
}

/** The options of a warm-up, checked. */
export interface CheckedWarmOptions {
  readonly concurrency: number;
  readonly batch: number;
  readonly rate: number;
  readonly total: number | undefined;
  readonly onProgress: ((progress: WarmProgress) => void) | undefined;
  readonly progressBar: boolean;
  readonly signal: AbortSignal | undefined;
}

const known: readonly (keyof WarmOptions)[] = [
  "concurrency",
  "batch",
  "rate",
  "total",
  "onProgress",
  "progressBar",
  "signal",
];

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` */
export function checkedWarmOptions(options: WarmOptions): CheckedWarmOptions {
  refuseUnknownOptions(options, known, "warm()");
  const { onProgress, signal, total, rate = Number.POSITIVE_INFINITY, progressBar = false } = options;
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw optionError(`warm() expected a function as onProgress, got ${shown(onProgress)}.`);
  if (signal !== undefined && typeof signal?.addEventListener !== "function")
    throw optionError(`warm() expected an AbortSignal as signal, got ${shown(signal)}.`);
  if (!(typeof rate === "number" && rate > 0))
    throw optionError(`warm() expected a number of nodes a second above 0 as rate, got ${shown(rate)}.`);
  if (total !== undefined && !(Number.isInteger(total) && total >= 0))
    throw optionError(`warm() expected a whole number as total, got ${shown(total)}.`);
  if (typeof progressBar !== "boolean")
    throw optionError(`warm() expected true or false as progressBar, got ${shown(progressBar)}.`);
  return {
    concurrency: countOf(options.concurrency ?? 4, "concurrency"),
    // A larger batch would begin more loads at once than the source may get in a second.
    batch: Math.min(countOf(options.batch ?? 1_000, "batch"), Math.max(1, Math.floor(rate))),
    rate,
    total,
    onProgress,
    progressBar,
    signal,
  };
}

function countOf(value: number, option: string): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw optionError(`warm() expected a whole number of at least 1 as ${option}, got ${shown(value)}.`);
}
