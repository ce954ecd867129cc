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
  /** Gets what `onRemoval` threw or rejected with. Default: it is only counted, in `stats().listenerErrors`. */
  readonly onListenerError?: ((error: unknown) => void) | undefined;
  /** Time and timers. Default: `Date.now` and `setTimeout` with `unref`. */
  readonly clock?: Clock | undefined;
  /**
   * Random unsigned 32-bit integers, for the secret of the keys' hash and the policy's draws. Default: the platform's
   * cryptographic generator. A test gives its own, to repeat every decision; nobody else should.
   */
  readonly random?: RandomSource | undefined;
}

/** What a read may be told. */
export interface ReadOptions {
  /**
   * The current time in milliseconds, by the cache's clock, if the caller has it already. Default: the clock is read, if the entry
   * ends.
   */
  readonly now?: number | undefined;
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

/** The options with all defaults filled in. */
export interface Settings<K, V> {
  readonly limits: Limits;
  readonly weigher: ((value: V, key: K) => number) | undefined;
  readonly policy: PolicyName | EvictionPolicy<K>;
  readonly ttl: number;
  /** How a value is stored for which nothing is given, where that is always the same. */
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
    throw new TypeError("A BoundedCache needs a limit: give maxSize (entries), maxWeight, or both");
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

/** How a value is to be stored, by the cache's settings and what `set` was told. */
export function placementOf<K, V>(
  { ttl, weigher }: Settings<K, V>,
  key: K,
  value: V,
  options: SetOptions | undefined,
): Placement {
  const given = options ?? NOTHING;
  // Who says nothing that there is may have meant something: others need not wait for their names to be looked at.
  if (
    options !== undefined &&
    given.ttl === undefined &&
    given.weight === undefined &&
    given.now === undefined
  )
    checkNames("The options of set", options, SET_OPTIONS, "{ ttl: 60_000 }");
  // The user's code first: it may throw, or use the cache itself.
  const weight =
    given.weight === undefined && weigher !== undefined ? weigher(value, key) : (given.weight ?? 1);
  return placement(
    checkWeight(weight, key),
    given.ttl === undefined ? ttl : checkTime("ttl", given.ttl),
    given.now === undefined ? undefined : checkNow(given.now),
  );
}
