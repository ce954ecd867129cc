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
}

/**
 * Checks the options.
 *
 * @returns `undefined` for a class that never returns stale values
 * @throws ConfigurationError `CACHEME_INVALID_DURATION`
 */
export function resolveStaleWindows(
  { staleWhileRevalidate, staleIfError }: StalePolicy,
  node: string,
): StaleWindows | undefined {
  if (staleWhileRevalidate === undefined && staleIfError === undefined) return undefined;
  const window = (given: Duration | undefined, option: string) =>
    given === undefined ? 0 : milliseconds(given, `${option} of node "${node}"`, { node });
  const whileRevalidate = window(staleWhileRevalidate, "staleWhileRevalidate");
  return { whileRevalidate, ifError: Math.max(whileRevalidate, window(staleIfError, "staleIfError")) };
}
