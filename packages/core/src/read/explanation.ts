import type { BreakerState } from "../events.js";
import type { FlightState } from "../runtime/flight-state.js";

/**
 * The reason why a tier would answer a read, or would not:
 *
 * - `fresh`: it has an entry that may be returned;
 * - `stale`: the entry has expired, and a read still returns it while the key is loaded again or backs
 *   off after a failed load;
 * - `error`: it has the cached error of a load, with which a read is rejected;
 * - `absent`: it has no entry;
 * - `expired`: the entry has expired. If the class has the option `staleIfError`, it may still
 *   replace an error;
 * - `tag`: one of the entry's tags was invalidated, or the entry lacks a tag of the node;
 * - `unreadable`: the bytes are damaged, or another program, class or serializer wrote them;
 * - `fenced`: this process is removing or replacing the entry;
 * - `distrusted`: an invalidation or a write may not have reached the tier, or its server has
 *   restarted since, for `afterRestart: "distrust"`;
 * - `pending`: the request is reading the node, and a further read gets that answer;
 * - `no-request`: it is the tier `perRequest()`, and the caller runs outside of a `requestScope`;
 * - `breaker-open`: the storage's circuit breaker is open, so it was not asked;
 * - `unreachable`: the storage did not answer.
 */
export type TierVerdict =
  | "fresh"
  | "stale"
  | "error"
  | "absent"
  | "expired"
  | "tag"
  | "unreadable"
  | "fenced"
  | "distrusted"
  | "pending"
  | "no-request"
  | "breaker-open"
  | "unreachable";

/** The finding in one tier; see {@link Explanation}. */
export interface TierExplanation {
  /** The storage's registered name; `"request"` for the tier `perRequest()`. */
  readonly storage: string;
  readonly kind: "local" | "remote" | "request";
  readonly verdict: TierVerdict;
  /**
   * The milliseconds since the entry was stored, or since the request began to read it; `undefined`
   * without a readable entry.
   */
  readonly age: number | undefined;
  /**
   * The milliseconds for which it may still be returned; negative if it has expired; `undefined` in
   * the tier `perRequest()`.
   */
  readonly ttl: number | undefined;
  /** The size of the stored bytes; `undefined` in a local tier. */
  readonly size: number | undefined;
  /** The entry's tags, each with whether it still has the generation that the entry was written under. */
  readonly tags: readonly { readonly tag: string; readonly isCurrent: boolean }[];
  /** Whether this process holds the key's lease in the tier now. */
  readonly holdsLease: boolean;
  /** The state of the storage's circuit breaker; `undefined` without one. */
  readonly breaker: BreakerState | undefined;
  /** The storage's error, if it did not answer, or a {@link CachedError} that it has. */
  readonly error: Error | undefined;
}

/**
 * The reasons why a read of a node would hit or miss now, as `explain` returns them.
 *
 * @example
 * ```ts
 * const { origin, tiers } = await explain(new UserNode(1));
 * console.log(origin ?? "would load", tiers.map(({ storage, verdict }) => `${storage}: ${verdict}`));
 * ```
 */
export interface Explanation {
  /** The name of the node class. */
  readonly node: string;
  readonly key: string;
  /** The key in remote storages. */
  readonly storageKey: string;
  /** The storage that would answer a plain read; `undefined` if the read would load. */
  readonly origin: string | undefined;
  /** Each tier, nearest first. */
  readonly tiers: readonly TierExplanation[];
  /** The states of the key's reads under way in this process. A plain read may join one. */
  readonly underway: readonly FlightState[];
  /** Whether a stale value is being replaced in the background. */
  readonly isRevalidating: boolean;
  /**
   * The milliseconds for which a stale value is returned without a load, because a load has failed;
   * 0 if the key does not back off.
   */
  readonly backOff: number;
  /**
   * Whether the doorkeeper has seen the key, so that the next load is stored; `undefined` without a
   * doorkeeper.
   */
  readonly isKnownToDoorkeeper: boolean | undefined;
}
