import { checkMaxSize, checkMaxWeight, checkSpace } from "../checks.js";
import type { Standing } from "../policy/standing.js";
import type { EntryDetails } from "./entry-details.js";
import { MISS } from "./miss.js";
import { type BoundedCacheOptions, type ReadOptions, resolveOptions, type SetOptions } from "./options.js";
import type { RankedEntry } from "./ranked-entry.js";
import type { CacheStats } from "./stats.js";
import { Store } from "./store.js";

/**
 * Key of the property that holds a cache's store. A symbol collides with no member of a subclass.
 * The property is not enumerable, so printing a cache does not show the secret of the key hash.
 * `#store` would hide it too, at 4 ns a hit.
 */
const STORE: unique symbol = Symbol("store");

/**
 * A bounded cache in this process's memory. It limits the number of entries, their total weight, or
 * both, and evicts the least useful entries.
 *
 * Keys may be anything that a `Map` accepts; strings and numbers are fast. A string key can have a
 * *space*, an integer from 0 to 2^31 - 1: `getIn(space, key)`. Equal keys in different spaces are
 * different keys, and no longer string is built. `get(key)` reads space 0.
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
   * Creates an empty cache.
   *
   * @throws TypeError if there is no limit, or if an option is unknown or has the wrong type
   * @throws RangeError if a limit or a time is out of range
   */
  constructor(options: BoundedCacheOptions<K, V>) {
    Object.defineProperty(this, STORE, { value: new Store(resolveOptions(options)) });
  }

  /**
   * Number of stored entries. Expired entries count until they are removed, moments after they
   * expire.
   */
  get size(): number {
    return storeOf(this).size;
  }

  /** Total weight of the stored entries. */
  get weight(): number {
    return storeOf(this).weight;
  }

  /** Maximum number of entries. */
  get maxSize(): number {
    return storeOf(this).limits.maxSize;
  }

  /** Maximum total weight; `Infinity` if there is no such limit. */
  get maxWeight(): number {
    return storeOf(this).limits.maxWeight;
  }

  /**
   * Returns the value, or `undefined` if there is no entry. Counts as a use. To tell a stored
   * `undefined` from a miss, call `read`.
   */
  get(key: K, options?: ReadOptions): V | undefined {
    return storeOf(this).get(0, key, options?.now, undefined);
  }

  /** Does the same as `get`, in a space. */
  getIn(space: number, key: K & string, options?: ReadOptions): V | undefined {
    return storeOf(this).get(space, key, options?.now, undefined);
  }

  /**
   * Returns the value while the entry is stored, even if it has expired. For callers that compare
   * times themselves, such as those that can use a stale value. Counts as a use. Never reads the
   * clock.
   */
  heldIn(space: number, key: K & string): V | undefined {
    return storeOf(this).getHeld(space, key);
  }

  /**
   * Returns the value, or {@link MISS} if there is no entry: for caches whose values may be
   * `undefined`. Counts as a use.
   */
  read(key: K, options?: ReadOptions): V | typeof MISS {
    return storeOf(this).get(0, key, options?.now, MISS);
  }

  /** Does the same as `read`, in a space. */
  readIn(space: number, key: K & string, options?: ReadOptions): V | typeof MISS {
    return storeOf(this).get(space, key, options?.now, MISS);
  }

  /**
   * Returns the value, or `undefined` if there is no entry. Is not a use: it changes neither the
   * policy, nor the statistics, nor the idle time.
   */
  peek(key: K, options?: ReadOptions): V | undefined {
    return storeOf(this).peek(0, key, options?.now);
  }

  /** Does the same as `peek`, in a space. */
  peekIn(space: number, key: K & string, options?: ReadOptions): V | undefined {
    return storeOf(this).peek(space, key, options?.now);
  }

  /** Returns whether there is an entry. Is not a use. */
  has(key: K, options?: ReadOptions): boolean {
    return storeOf(this).has(0, key, options?.now);
  }

  /** Does the same as `has`, in a space. */
  hasIn(space: number, key: K & string, options?: ReadOptions): boolean {
    return storeOf(this).has(space, key, options?.now);
  }

  /**
   * Returns the entry's value, weight and remaining time, or `undefined` if there is no entry. Is
   * not a use.
   */
  inspect(key: K, options?: ReadOptions): EntryDetails<V> | undefined {
    return storeOf(this).inspect(0, key, options?.now);
  }

  /** Does the same as `inspect`, in a space. */
  inspectIn(space: number, key: K & string, options?: ReadOptions): EntryDetails<V> | undefined {
    return storeOf(this).inspect(space, key, options?.now);
  }

  /**
   * Stores a value. If the cache is full, the policy evicts other entries. The policy may also
   * reject an entry that weighs more than 1: it evicts that entry at once, if the others are worth
   * more.
   *
   * @returns false if the entry alone is heavier than `maxWeight`. The entry is not stored then,
   *   and the key's former value is removed too. The removal listener is called with the cause
   *   `"size"`
   * @throws RangeError if a ttl or a weight is out of range; nothing has changed then
   * @throws TypeError if the options have the wrong type; nothing has changed then
   * @throws the weigher's own error, if it throws; nothing has changed then
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
   * Does the same as `set`, in a space.
   *
   * @throws RangeError if the space is invalid
   * @throws TypeError if the key is not a string
   * @throws whatever `set` throws
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

  /** Does the same as `delete`, in a space. */
  deleteIn(space: number, key: K & string, options?: ReadOptions): boolean {
    return storeOf(this).delete(space, key, options?.now);
  }

  /**
   * Removes the entries of all spaces and frees their memory. Takes constant time, unless there is
   * a removal listener or a custom policy: each of them is called for every entry.
   */
  clear(): void {
    storeOf(this).clear();
  }

  /**
   * Removes all entries of a space and returns how many there were. Looks at every entry of the
   * cache.
   */
  clearSpace(space: number): number {
    return storeOf(this).clearSpace(space);
  }

  /**
   * Iterates over the entries of space 0, in no particular order, and skips expired ones. May miss
   * entries that are added or removed during the iteration; an entry that stays is seen exactly
   * once. The cache frees no memory during an iteration.
   */
  entries(): IterableIterator<[K, V]> {
    return this.entriesIn(0);
  }

  /** Iterates over the keys of space 0, as `entries` does. */
  *keys(): IterableIterator<K> {
    for (const [key] of this.entries()) yield key;
  }

  /** Iterates over the values of space 0, as `entries` does. */
  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  /** Does the same as `entries`, in a space. */
  entriesIn(space: number): IterableIterator<[K, V]> {
    const store = storeOf(this);
    return store.iterations.entriesOf(store, space, store.expiry);
  }

  /** Does the same as `entries`: `for (const [key, value] of cache)`. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entriesIn(0);
  }

  /**
   * Iterates over the entries of all spaces, the most valuable first by the policy. Takes the order
   * at the first step: a millisecond for 20,000 entries. Skips expired entries, may miss entries
   * that are added or moved during the iteration, and may yield a moved entry twice. The cache frees
   * no memory during an iteration.
   */
  ranked(): IterableIterator<RankedEntry<K, V>> {
    return storeOf(this).ranked();
  }

  /**
   * Stores an entry with the standing that it had in another cache: see {@link ranked}. Restore the
   * least valuable entries first.
   *
   * @returns false if the entry is not stored
   * @throws whatever `setIn` throws
   */
  restoreIn(space: number, key: K & string, value: V, standing: Standing, options?: SetOptions): boolean {
    checkSpace(space, key);
    const store = storeOf(this);
    const isStored = store.setWith(space, key, value, options);
    const slot = store.find(space, key);
    if (slot >= 0) store.policy.standings.reinstate(slot, standing);
    return isStored && slot >= 0;
  }

  /** Returns the counters since the cache was created. */
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
   * Changes the limits at run time. Evicts up to 512 excess entries at once. Later `set` calls and
   * a background timer evict the rest, a few at a time. So no call waits for a million evictions.
   *
   * @param maxSize maximum number of entries from now on. Default: unchanged
   * @param maxWeight maximum total weight from now on. Default: unchanged
   * @throws RangeError if a limit is out of range
   */
  resize(maxSize: number = this.maxSize, maxWeight: number = this.maxWeight): void {
    storeOf(this).resize({ maxSize: checkMaxSize(maxSize), maxWeight: checkMaxWeight(maxWeight) });
  }
}

/**
 * Returns the store of a cache: for this file, and for tests that check the structure. The package
 * does not export it.
 */
export function storeOf<K, V>(cache: BoundedCache<K, V>): Store<K, V> {
  return (cache as unknown as { readonly [STORE]: Store<K, V> })[STORE];
}
