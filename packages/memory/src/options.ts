import { type Clock, systemClock } from "./clock.js";
import type { PolicyName } from "./policy/choose.js";
import type { EvictionPolicy } from "./policy/eviction-policy.js";
import type { Limits } from "./policy/slot-policy.js";
import { type RandomSource, secureRandom } from "./random.js";
import type { RemovalListener } from "./removal.js";
import { MOST_SLOTS } from "./slots.js";

/** How a {@link BoundedCache} is made. At least one of `maxSize` and `maxWeight` must be given. */
export interface BoundedCacheOptions<K, V> {
  /** Most entries: an integer from 1 to 2^24. Default: 2^24. */
  readonly maxSize?: number | undefined;
  /** Most total weight, in whatever unit `weigher` or `set` counts: a positive integer. Default: no limit. */
  readonly maxWeight?: number | undefined;
  /** The weight of an entry, a non-negative integer. Asked once per `set` that gives no weight. Default: 1. */
  readonly weigher?: ((value: V, key: K) => number) | undefined;
  /** Which entry goes when there is no room. Default: `"tlfu"`. */
  readonly policy?: PolicyName | EvictionPolicy<K> | undefined;
  /** Milliseconds from its `set` after which an entry expires, unless `set` says otherwise. Default: never. */
  readonly ttl?: number | undefined;
  /** Milliseconds without a `get` or `set` after which an entry expires. Default: never. */
  readonly idle?: number | undefined;
  /** Told of every entry that leaves the cache. */
  readonly onRemoval?: RemovalListener<K, V> | undefined;
  /** Gets what `onRemoval` threw. Default: it is only counted, in `stats().listenerErrors`. */
  readonly onListenerError?: ((error: unknown) => void) | undefined;
  /** Time and timers. Default: `Date.now` and `setTimeout` with `unref`. */
  readonly clock?: Clock | undefined;
  /**
   * Random unsigned 32-bit integers, for the secret of the keys' hash and the policy's draws. Default: the platform's
   * cryptographic generator. A test gives its own, to repeat every decision; nobody else should.
   */
  readonly random?: RandomSource | undefined;
}

/** What `set` may say about an entry. */
export interface SetOptions {
  /** Milliseconds until the entry expires; `Infinity`: never. Default: the cache's `ttl`. */
  readonly ttl?: number | undefined;
  /** What the entry weighs, a non-negative integer. Default: what the `weigher` says, or 1. */
  readonly weight?: number | undefined;
  /** The current time, if the caller has it already; otherwise the clock is read where the time is needed. */
  readonly now?: number | undefined;
}

/** How a value is to be stored. */
export interface Placement {
  readonly weight: number;
  /** Milliseconds until the entry ends; `Infinity`: never. */
  readonly ttl: number;
  /** The current time in milliseconds, if it is known. */
  readonly now: number | undefined;
  /** The entry weighs 1 and does not end. */
  readonly isPlain: boolean;
}

export function placement(weight: number, ttl: number, now: number | undefined): Placement {
  return { weight, ttl, now, isPlain: weight === 1 && ttl === Number.POSITIVE_INFINITY };
}

/** The options with all defaults filled in. */
export interface Settings<K, V> {
  readonly limits: Limits;
  readonly weigher: ((value: V, key: K) => number) | undefined;
  readonly policy: PolicyName | EvictionPolicy<K>;
  readonly ttl: number;
  /** How a value is stored for which nothing is given, where that is always the same. */
  readonly usual: Placement | undefined;
  readonly idle: number;
  readonly onRemoval: RemovalListener<K, V> | undefined;
  readonly onListenerError: ((error: unknown) => void) | undefined;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** Checks the options and fills in the defaults. */
export function settle<K, V>(options: BoundedCacheOptions<K, V>): Settings<K, V> {
  if (options.maxSize === undefined && options.maxWeight === undefined) {
    throw new TypeError("A BoundedCache needs a limit: give maxSize (entries), maxWeight, or both");
  }
  const ttl = checkTime("ttl", options.ttl ?? Number.POSITIVE_INFINITY);
  return {
    limits: {
      maxSize: checkMaxSize(options.maxSize ?? MOST_SLOTS),
      maxWeight:
        options.maxWeight === undefined ? Number.POSITIVE_INFINITY : checkMaxWeight(options.maxWeight),
    },
    weigher: options.weigher,
    policy: options.policy ?? "tlfu",
    ttl,
    usual: options.weigher === undefined ? placement(1, ttl, undefined) : undefined,
    idle: checkTime("idle", options.idle ?? Number.POSITIVE_INFINITY),
    onRemoval: options.onRemoval,
    onListenerError: options.onListenerError,
    clock: options.clock ?? systemClock,
    random: options.random ?? secureRandom(),
  };
}

export function checkMaxSize(maxSize: number): number {
  if (Number.isInteger(maxSize) && maxSize >= 1 && maxSize <= MOST_SLOTS) return maxSize;
  throw new RangeError(`maxSize must be an integer from 1 to ${MOST_SLOTS}, not ${maxSize}`);
}

export function checkMaxWeight(maxWeight: number): number {
  if (maxWeight === Number.POSITIVE_INFINITY || (Number.isSafeInteger(maxWeight) && maxWeight >= 1))
    return maxWeight;
  throw new RangeError(`maxWeight must be a positive integer, not ${maxWeight}`);
}

/** A duration in milliseconds: any positive number, `Infinity` for never. */
export function checkTime(name: string, milliseconds: number): number {
  if (milliseconds > 0) return milliseconds;
  throw new RangeError(`${name} must be a positive number of milliseconds, not ${milliseconds}`);
}

export function checkWeight(weight: number): number {
  if (Number.isSafeInteger(weight) && weight >= 0) return weight;
  throw new RangeError(`The weight of an entry must be a non-negative integer, not ${weight}`);
}
