import { checkMaxSize, checkMaxWeight, checkSpace } from "../checks.js";
import type { EntryDetails } from "./entry-details.js";
import { MISS } from "./miss.js";
import { type BoundedCacheOptions, type ReadOptions, resolveOptions, type SetOptions } from "./options.js";
import type { CacheStats } from "./stats.js";
import { Store } from "./store.js";

/**
 * Where a cache has its inside: under a name that nobody else has, and that is not shown when a cache is printed, since the secret of
 * the keys' hash is in there. `#store` would do the same, at 4 ns a hit.
 */
const STORE: unique symbol = Symbol("store");

/**
 * A cache in this process's memory that holds a bounded number of entries, or a bounded weight, or both, and lets the
 * least useful go.
 *
 * Keys may be anything that a `Map` takes; strings and numbers are fast. Beside a string key there may be a *space*, an
 * integer from 0 to 2^31 - 1 (`getIn(space, key)`): keys in different spaces are different, without longer strings
 * being built. `get(key)` reads space 0.
 *
 * @example
 * ```ts
 * const cache = new BoundedCache<string, User>({ maxSize: 10_000, ttl: 60_000 });
 * cache.set("ada", user);
 * cache.get("ada"); // User | undefined
 * ```
 */
export class BoundedCache<K, V> {
  /**
   * @throws TypeError without a limit, for an option that there is not or of another type; RangeError for a limit or time out of
   *   range
   */
  constructor(options: BoundedCacheOptions<K, V>) {
    Object.defineProperty(this, STORE, { value: new Store(resolveOptions(options)) });
  }

  /** Entries held. Expired ones count until their memory is given back, which is within moments of the clock. */
  get size(): number {
    return storeOf(this).size;
  }

  /** Total weight of the entries held. */
  get weight(): number {
    return storeOf(this).weight;
  }

  /** Most entries. */
  get maxSize(): number {
    return storeOf(this).limits.maxSize;
  }

  /** Most total weight; `Infinity` where there is no such limit. */
  get maxWeight(): number {
    return storeOf(this).limits.maxWeight;
  }

  /** The value, or `undefined` where there is none (`read` tells that from a value `undefined`). Counts as a use. */
  get(key: K, options?: ReadOptions): V | undefined {
    return storeOf(this).get(0, key, options?.now, undefined);
  }

  /** `get` in a space. */
  getIn(space: number, key: K & string, options?: ReadOptions): V | undefined {
    return storeOf(this).get(space, key, options?.now, undefined);
  }

  /**
   * The value as long as it is held, also when its time is over: for callers that compare times themselves, such as those
   * that may still use a stale value. Counts as a use; the clock is never read.
   */
  heldIn(space: number, key: K & string): V | undefined {
    return storeOf(this).getHeld(space, key);
  }

  /** The value, or {@link MISS} where there is none: for caches whose values may be `undefined`. Counts as a use. */
  read(key: K, options?: ReadOptions): V | typeof MISS {
    return storeOf(this).get(0, key, options?.now, MISS);
  }

  /** `read` in a space. */
  readIn(space: number, key: K & string, options?: ReadOptions): V | typeof MISS {
    return storeOf(this).get(space, key, options?.now, MISS);
  }

  /** The value, or `undefined`. Not a use: neither the policy nor the statistics nor the idle time know of it. */
  peek(key: K, options?: ReadOptions): V | undefined {
    return storeOf(this).peek(0, key, options?.now);
  }

  /** `peek` in a space. */
  peekIn(space: number, key: K & string, options?: ReadOptions): V | undefined {
    return storeOf(this).peek(space, key, options?.now);
  }

  /** Whether there is an entry. Not a use. */
  has(key: K, options?: ReadOptions): boolean {
    return storeOf(this).has(0, key, options?.now);
  }

  /** `has` in a space. */
  hasIn(space: number, key: K & string, options?: ReadOptions): boolean {
    return storeOf(this).has(space, key, options?.now);
  }

  /** The entry's value, weight and remaining time, or `undefined`. Not a use. */
  inspect(key: K, options?: ReadOptions): EntryDetails<V> | undefined {
    return storeOf(this).inspect(0, key, options?.now);
  }

  /** `inspect` in a space. */
  inspectIn(space: number, key: K & string, options?: ReadOptions): EntryDetails<V> | undefined {
    return storeOf(this).inspect(space, key, options?.now);
  }

  /**
   * Stores a value; the policy evicts others for it where there is no room. An entry that weighs more than 1 may be found not worth
   * what would have to go, and is evicted at once then.
   *
   * @returns false if the entry alone is heavier than `maxWeight`: then it is not stored, a former value of the key is
   *   gone too, and the removal listener is told with the cause `"size"`
   * @throws RangeError for a ttl or weight out of range, TypeError for options of another kind, and what the weigher throws: nothing
   *   has changed then
   * @example
   * ```ts
   * cache.set("ada", user, { ttl: 5_000 }); // true
   * ```
   */
  set(key: K, value: V, options?: SetOptions): boolean {
    const store = storeOf(this);
    const { defaultPlacement } = store.settings;
    return options === undefined && defaultPlacement !== undefined
      ? store.set(0, key, value, defaultPlacement)
      : store.setWith(0, key, value, options);
  }

  /**
   * `set` in a space.
   *
   * @throws RangeError for a space that is none, TypeError for a key that is no string, and what `set` throws
   */
  setIn(space: number, key: K & string, value: V, options?: SetOptions): boolean {
    checkSpace(space, key);
    const store = storeOf(this);
    const { defaultPlacement } = store.settings;
    return options === undefined && defaultPlacement !== undefined
      ? store.set(space, key, value, defaultPlacement)
      : store.setWith(space, key, value, options);
  }

  /** Removes an entry. Returns whether there was one. */
  delete(key: K, options?: ReadOptions): boolean {
    return storeOf(this).delete(0, key, options?.now);
  }

  /** `delete` in a space. */
  deleteIn(space: number, key: K & string, options?: ReadOptions): boolean {
    return storeOf(this).delete(space, key, options?.now);
  }

  /**
   * Removes all entries of all spaces, and gives their memory back. Constant time, but with a removal listener or a policy of the
   * user's, which are told of each.
   */
  clear(): void {
    storeOf(this).clear();
  }

  /** Removes all entries of a space, and returns their number. Looks at every entry of the cache. */
  clearSpace(space: number): number {
    return storeOf(this).clearSpace(space);
  }

  /**
   * The entries of space 0, in no particular order, without those that have expired. Entries that come or go
   * during the iteration may be missed; one that stays is seen exactly once. A cache does not give memory back while an iteration is under way.
   */
  entries(): IterableIterator<[K, V]> {
    return this.entriesIn(0);
  }

  /** The keys of space 0, as `entries` has them. */
  *keys(): IterableIterator<K> {
    for (const [key] of this.entries()) yield key;
  }

  /** The values of space 0, as `entries` has them. */
  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  /** `entries` of a space. */
  entriesIn(space: number): IterableIterator<[K, V]> {
    const store = storeOf(this);
    return store.iterations.entriesOf(store, space, store.expiry);
  }

  /** `entries`, for `for (const [key, value] of cache)`. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entriesIn(0);
  }

  /** What was counted since the cache was made. */
  stats(): CacheStats {
    const { hits, misses, size, weight, refused, removals } = storeOf(this);
    return {
      hits,
      misses,
      hitRatio: hits === 0 ? 0 : hits / (hits + misses),
      size,
      weight,
      removals: removals.counts,
      refused,
      listenerErrors: removals.errors,
    };
  }

  /**
   * Changes the limits at run time. Up to 512 entries too many are evicted at once; the rest, if there is one, by the
   * sets that follow and in the background, a few at a time, so that nobody waits for a million evictions.
   *
   * @param maxSize most entries from now on. Default: as it was
   * @param maxWeight most total weight from now on. Default: as it was
   * @throws RangeError for a limit out of range
   */
  resize(maxSize: number = this.maxSize, maxWeight: number = this.maxWeight): void {
    storeOf(this).resize({ maxSize: checkMaxSize(maxSize), maxWeight: checkMaxWeight(maxWeight) });
  }
}

/** What the constructor has put there: for this file, and for tests that check the structure. Not part of the package's face. */
export function storeOf<K, V>(cache: BoundedCache<K, V>): Store<K, V> {
  return (cache as unknown as { readonly [STORE]: Store<K, V> })[STORE];
}
