import { type Duration, milliseconds } from "../../duration.js";
import type { StaleWindows } from "../../entry/lifetime.js";

/** The use of values that have expired, in the words and with the meaning of RFC 5861. */
export interface StalePolicy {
  /**
   * How long after its expiry a value may still be returned at once. The first such read loads the
   * value again in the background, once for all readers. If a remote tier's storage supports leases,
   * one process of the cluster does so. Default: not at all.
   */
  readonly staleWhileRevalidate?: Duration | undefined;
  /**
   * How long after its expiry a value may be returned instead of the error of a load that has
   * failed. After a failure, readers get the stale value at once for a while. Default: not at all,
   * beyond `staleWhileRevalidate`.
   */
  readonly staleIfError?: Duration | undefined;
  /**
   * The longest pause between two loads of a key that fail while its stale value is returned. The
   * pauses begin with a second, or with this time if it is shorter, and double. Default: 30 seconds.
   */
  readonly staleBackOff?: Duration | undefined;
}

/** The checked options. */
export interface ResolvedStale extends StaleWindows {
  /** Milliseconds. */
  readonly longestBackOff: number;
}

const defaultBackOff: Duration = "30s";

/**
 * Checks the options.
 *
 * @returns `undefined` for a class that never returns stale values
 * @throws ConfigurationError `CACHEME_INVALID_DURATION`; `CACHEME_INVALID_META` for a pause of a class
 *   that never returns stale values
 */
export function resolveStale(
  { staleWhileRevalidate, staleIfError, staleBackOff }: StalePolicy,
  node: string,
  refuse: (what: string) => never,
): ResolvedStale | undefined {
  if (staleWhileRevalidate === undefined && staleIfError === undefined) {
    if (staleBackOff !== undefined)
      refuse("has `staleBackOff` and no stale values: set `staleWhileRevalidate` or `staleIfError`, too.");
    return undefined;
  }
  const time = (given: Duration | undefined, option: string) =>
    given === undefined ? 0 : milliseconds(given, `${option} of node "${node}"`, { node });
  const whileRevalidate = time(staleWhileRevalidate, "staleWhileRevalidate");
  const ifError = Math.max(whileRevalidate, time(staleIfError, "staleIfError"));
  return { whileRevalidate, ifError, longestBackOff: time(staleBackOff ?? defaultBackOff, "staleBackOff") };
}
