import { milliseconds } from "cacheme/driver";
import type { Read } from "./actor.js";
import type { Violation } from "./answer-check.js";
import type { Knowledge } from "./invalidations.js";
import type { Origin } from "./origins.js";
import type { Setup, SimulatedRetention } from "./setup.js";

/** The times of a set-up that returns stale values, or loads before the expiry, in milliseconds. */
export interface Freshness {
  /** The ttl of the last tier. */
  readonly ttl: number;
  readonly whileRevalidate: number;
  /** How long after the expiry a value may be returned in any case. */
  readonly window: number;
  readonly threshold: number | undefined;
  /** The time after which readers of a running load get a stale value. */
  readonly soft: number | undefined;
  /** The time after which a load fails. */
  readonly hard: number | undefined;
  /** The functions of the class, and the milliseconds that an error is kept. */
  readonly retention: SimulatedRetention;
  /** How long servers keep the error of a load at least. Without leases they keep none: 0. */
  readonly errorsKeptFor: number;
}

/** Returns the times of a set-up; `undefined` if it has no such options. */
export function freshnessOf(setup: Setup): Freshness | undefined {
  const { caches, freshness, retention, loadTimeout, lease, capabilities } = setup;
  if (freshness === undefined && retention === undefined) return undefined;
  const { staleWhileRevalidate, staleIfError, refreshAhead } = freshness ?? {};
  const whileRevalidate =
    staleWhileRevalidate === undefined ? 0 : milliseconds(staleWhileRevalidate, "staleWhileRevalidate");
  const ifError = staleIfError === undefined ? 0 : milliseconds(staleIfError, "staleIfError");
  const { errorTtl = 0, jitter = 0 } = retention ?? {};
  const isLeased = lease !== false && capabilities?.leases !== false;
  return {
    ttl: milliseconds(caches.at(-1)?.ttl ?? 1, "ttl of the last tier"),
    whileRevalidate,
    window: Math.max(whileRevalidate, ifError),
    threshold: refreshAhead?.threshold,
    soft: timeoutOf(loadTimeout, "soft"),
    hard: timeoutOf(loadTimeout, "hard"),
    retention: retention ?? {},
    errorsKeptFor: isLeased ? errorTtl * (1 - jitter) : 0,
  };
}

function timeoutOf(loadTimeout: Setup["loadTimeout"], which: "soft" | "hard"): number | undefined {
  if (loadTimeout === undefined || loadTimeout === false) return undefined;
  const limits = typeof loadTimeout === "object" ? loadTimeout : { hard: loadTimeout };
  const limit = limits[which];
  return limit === undefined || limit === false ? undefined : milliseconds(limit, "loadTimeout");
}

/**
 * Checks that a value is within its bound: its own ttl or the last tier's, and the longer window, from the time
 * at which a server last took it. The bound holds for its whole age, through all tiers.
 *
 * An `expire` ends the ttl of every value that servers had taken before.
 *
 * @param now the true time of the answer
 */
export function checkAge(
  { actor, key, way, born, at }: Read,
  { born: value, keptAt, expiredAt, pastTrouble }: Origin,
  { ttl: longest, window, retention }: Freshness,
  now: number,
  { localTtl = window, tolerance }: Knowledge,
): Violation | undefined {
  // Past a tier in trouble a value may be stored in the memory later than on the server.
  if (pastTrouble || actor.wasInTrouble(key)) return undefined;
  // A list may have got this value at its call, and have waited for its other keys since.
  const ttl = retention.ttl?.(value) ?? longest;
  const asOf = way === "getAll" ? at : now;
  const age = asOf - (keptAt ?? Number.POSITIVE_INFINITY);
  // A local tier of another process may hold a value longer than its expiration.
  const isExpired = expiredAt !== undefined && asOf - expiredAt > localTtl + tolerance;
  if (age <= ttl + window + tolerance && !isExpired) return undefined;
  const what = `${way} ${born} of ${actor.name}, key ${key}, gets ${value}, stored ${age} ms before`;
  if (isExpired) return { promise: "freshness", what: `${what}, expired ${asOf - expiredAt} ms before` };
  return { promise: "freshness", what: `${what}, with a ttl of ${ttl} and a window of ${window}` };
}

/**
 * Checks that the error of a load is not kept for longer than the class's `errorTtl`. Readers of the
 * load wait until a tier has its error, however long that takes. A read that may have joined others
 * counts as called with them.
 */
export function checkErrorAge(
  { key, born, joinedAt }: Read,
  { born: load, failedAt }: Origin,
  { retention: { errorTtl = 0 } }: Freshness,
  { localTtl = 0, tolerance }: Knowledge,
): Violation | undefined {
  const age = joinedAt - (failedAt ?? joinedAt);
  if (age <= errorTtl + Math.min(errorTtl, localTtl) + tolerance) return undefined;
  const what = `read ${born} of key ${key}, called ${age} ms after load ${load} failed, gets its error`;
  return { promise: "freshness", what: `${what}, with an errorTtl of ${errorTtl}` };
}
