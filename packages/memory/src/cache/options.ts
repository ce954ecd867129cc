import {
  checkFunction,
  checkMaxSize,
  checkMaxWeight,
  checkMethods,
  checkNames,
  checkNow,
  checkTime,
  checkWeight,
} from "../checks.js";
import { type Clock, systemClock } from "../clock.js";
import type { PolicyName } from "../policy/choose.js";
import type { EvictionPolicy } from "../policy/eviction-policy.js";
import type { Limits } from "../policy/slot-policy.js";
import { type RandomSource, secureRandom } from "../random.js";
import { MOST_SLOTS } from "../table/slots.js";
import type { RemovalListener } from "./removal.js";

/** Options of a {@link BoundedCache}. Set `maxSize`, `maxWeight`, or both. */
export interface BoundedCacheOptions<K, V> {
  /** Maximum number of entries: an integer from 1 to 2^24. Default: 2^24. */
  readonly maxSize?: number | undefined;
  /**
   * Maximum total weight, in the unit of `weigher` or `set`: an integer from 1 to 2^52, or
   * `Infinity`. Default: no limit.
   */
  readonly maxWeight?: number | undefined;
  /**
   * Computes the weight of an entry, an integer from 0 to 2^52. Called once per `set` that gives no
   * weight. Default: 1.
   */
  readonly weigher?: ((value: V, key: K) => number) | undefined;
  /** Policy that chooses the entry to evict from a full cache. Default: `"tlfu"`. */
  readonly policy?: PolicyName | EvictionPolicy<K> | undefined;
  /**
   * Milliseconds after its `set` until an entry expires, unless `set` gives another ttl. Default:
   * never.
   */
  readonly ttl?: number | undefined;
  /** Milliseconds without a `get` or `set` until an entry expires. Default: never. */
  readonly idle?: number | undefined;
  /** Called for every entry that leaves the cache. Default: none. */
  readonly onRemoval?: RemovalListener<K, V> | undefined;
  /**
   * Called with the error that `onRemoval` threw or rejected with. Default:
   * `stats().listenerErrors` counts it.
   */
  readonly onListenerError?: ((error: unknown) => void) | undefined;
  /** Time and timers. Default: `Date.now`, and `setTimeout` with `unref`. */
  readonly clock?: Clock | undefined;
  /**
   * Source of random unsigned 32-bit integers, for the secret of the key hash and the policy's
   * draws. Default: the platform's cryptographic generator. Set it in tests only, to repeat every
   * decision.
   */
  readonly random?: RandomSource | undefined;
}

/** Options of a read. */
export interface ReadOptions {
  /**
   * Current time in milliseconds, by the cache's clock, if the caller already has it. Default: the
   * cache reads its clock, if the entry has a deadline.
   */
  readonly now?: number | undefined;
}

/** Options of `set`. */
export interface SetOptions {
  /** Milliseconds until the entry expires; `Infinity`: never. Default: the cache's `ttl`. */
  readonly ttl?: number | undefined;
  /** Weight of the entry, an integer from 0 to 2^52. Default: the result of the `weigher`, or 1. */
  readonly weight?: number | undefined;
  /**
   * Current time in milliseconds, by the cache's clock, if the caller already has it. Default: the
   * cache reads its clock, if it needs the time.
   */
  readonly now?: number | undefined;
}

/** Weight and times of an entry that is being written. */
export interface Placement {
  readonly weight: number;
  /** Milliseconds until the entry expires; `Infinity`: never. */
  readonly ttl: number;
  /** Current time in milliseconds, if it is known. */
  readonly now: number | undefined;
  /** Whether the entry weighs 1 and never expires. */
  readonly isPlain: boolean;
}

export function placement(weight: number, ttl: number, now: number | undefined): Placement {
  return { weight, ttl, now, isPlain: weight === 1 && ttl === Number.POSITIVE_INFINITY };
}

const NEVER = Number.POSITIVE_INFINITY;

const OPTIONS = [
  "maxSize",
  "maxWeight",
  "weigher",
  "policy",
  "ttl",
  "idle",
  "onRemoval",
  "onListenerError",
  "clock",
  "random",
] as const satisfies readonly (keyof BoundedCacheOptions<unknown, unknown>)[];

const NOTHING: SetOptions = {};

const SET_OPTIONS = ["ttl", "weight", "now"] as const satisfies readonly (keyof SetOptions)[];

/** Options with all defaults filled in. */
export interface Settings<K, V> {
  readonly limits: Limits;
  readonly weigher: ((value: V, key: K) => number) | undefined;
  readonly policy: PolicyName | EvictionPolicy<K>;
  readonly ttl: number;
  /** Placement of a `set` without options, if it is always the same. */
  readonly defaultPlacement: Placement | undefined;
  readonly idle: number;
  readonly onRemoval: RemovalListener<K, V> | undefined;
  readonly onListenerError: ((error: unknown) => void) | undefined;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** Checks the options and fills in the defaults. */
export function resolveOptions<K, V>(options: BoundedCacheOptions<K, V>): Settings<K, V> {
  checkNames("The options of a BoundedCache", options, OPTIONS, "{ maxSize: 10_000 }");
  const { maxSize, maxWeight, weigher, policy = "tlfu", ttl = NEVER, idle = NEVER } = options;
  if (maxSize === undefined && maxWeight === undefined) {
    throw new TypeError("A BoundedCache needs a limit: set maxSize (entries), maxWeight, or both");
  }
  checkTime("ttl", ttl);
  return {
    limits: {
      maxSize: maxSize === undefined ? MOST_SLOTS : checkMaxSize(maxSize),
      maxWeight: maxWeight === undefined ? Number.POSITIVE_INFINITY : checkMaxWeight(maxWeight),
    },
    weigher: checkFunction("weigher", weigher),
    policy,
    ttl,
    defaultPlacement: weigher === undefined ? placement(1, ttl, undefined) : undefined,
    idle: checkTime("idle", idle),
    onRemoval: checkFunction("onRemoval", options.onRemoval),
    onListenerError: checkFunction("onListenerError", options.onListenerError),
    clock:
      options.clock === undefined ? systemClock : checkMethods("clock", options.clock, ["now", "schedule"]),
    random: checkFunction("random", options.random) ?? secureRandom(),
  };
}

/** Computes the placement of a `set` from the cache's settings and the options of the call. */
export function placementOf<K, V>(
  { ttl, weigher }: Settings<K, V>,
  key: K,
  value: V,
  options: SetOptions | undefined,
): Placement {
  const given = options ?? NOTHING;
  // Only options without any known name are checked for unknown ones. Other calls need not wait for
  // that check.
  if (
    options !== undefined &&
    given.ttl === undefined &&
    given.weight === undefined &&
    given.now === undefined
  )
    checkNames("The options of set", options, SET_OPTIONS, "{ ttl: 60_000 }");
  // The user's code runs first: it may throw, or use the cache.
  const weight =
    given.weight === undefined && weigher !== undefined ? weigher(value, key) : (given.weight ?? 1);
  return placement(
    checkWeight(weight, key),
    given.ttl === undefined ? ttl : checkTime("ttl", given.ttl),
    given.now === undefined ? undefined : checkNow(given.now),
  );
}
