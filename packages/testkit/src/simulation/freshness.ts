import { milliseconds } from "cacheme/driver";
import type { Read } from "./actor.js";
import type { Violation } from "./answer-check.js";
import type { Origin } from "./origins.js";
import type { Setup } from "./setup.js";

/** The times of a set-up that returns stale values, or loads before the expiry, in milliseconds. */
export interface Freshness {
  /** The ttl of the last tier. */
  readonly ttl: number;
  readonly whileRevalidate: number;
  /** How long after the expiry a value may be returned in any case. */
  readonly window: number;
  readonly threshold: number | undefined;
}

/** Returns the times of a set-up; `undefined` if it has no such options. */
export function freshnessOf({ caches, freshness }: Setup): Freshness | undefined {
  if (freshness === undefined) return undefined;
  const { staleWhileRevalidate, staleIfError, refreshAhead } = freshness;
  const whileRevalidate =
    staleWhileRevalidate === undefined ? 0 : milliseconds(staleWhileRevalidate, "staleWhileRevalidate");
  const ifError = staleIfError === undefined ? 0 : milliseconds(staleIfError, "staleIfError");
  return {
    ttl: milliseconds(caches.at(-1)?.ttl ?? 1, "ttl of the last tier"),
    whileRevalidate,
    window: Math.max(whileRevalidate, ifError),
    threshold: refreshAhead?.threshold,
  };
}

/**
 * Checks that a value is within its bound: the last tier's ttl and the longer window, from the time
 * at which a server last took it. The bound holds for its whole age, through all tiers.
 *
 * @param now the true time of the answer
 */
export function checkAge(
  { actor, key, way, born, at }: Read,
  { born: value, keptAt, pastTrouble }: Origin,
  { ttl, window }: Freshness,
  now: number,
  tolerance: number,
): Violation | undefined {
  // Past a tier in trouble a value may be stored in the memory later than on the server.
  if (pastTrouble || actor.wasInTrouble(key)) return undefined;
  // A list may have got this value at its call, and have waited for its other keys since.
  const age = (way === "getAll" ? at : now) - (keptAt ?? Number.POSITIVE_INFINITY);
  if (age <= ttl + window + tolerance) return undefined;
  const what = `${way} ${born} of ${actor.name}, key ${key}, gets ${value}, stored ${age} ms before`;
  return { promise: "freshness", what: `${what}, with a ttl of ${ttl} and a window of ${window}` };
}
