import { entriesOf } from "./entries.js";
import { MISS } from "./miss.js";
import {
  type BoundedCacheOptions,
  checkMaxSize,
  checkMaxWeight,
  checkTime,
  checkWeight,
  placement,
  type SetOptions,
  type Settings,
  settle,
} from "./options.js";
import type { CacheStats } from "./stats.js";
import { Store } from "./store.js";

/** What {@link BoundedCache.inspect} tells of an entry. */
export interface EntryDetails<V> {
  readonly value: V;
  readonly weight: number;
  /** Milliseconds until the entry expires; `Infinity` if it does not. */
  readonly remaining: number;
}

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
  private readonly store: Store<K, V>;
  private readonly settings: Settings<K, V>;

  /** @throws TypeError without a limit, RangeError for a limit or time out of range */
  constructor(options: BoundedCacheOptions<K, V>) {
    this.settings = settle(options);
    this.store = new Store(this.settings);
  }

  /** Entries held. Expired ones count until their memory is given back, which is within moments. */
  get size(): number {
    return this.store.size;
  }

  /** Total weight of the entries held. */
  get weight(): number {
    return this.store.weight;
  }

  /** Most entries. */
  get maxSize(): number {
    return this.store.limits.maxSize;
  }

  /** Most total weight; `Infinity` where there is no such limit. */
  get maxWeight(): number {
    return this.store.limits.maxWeight;
  }

  /**
   * The value, or `undefined` where there is none (`read` tells that from a value `undefined`). Counts as a use.
   *
   * @param now the current time in milliseconds, if the caller has it; otherwise the clock is read, if the entry ends
   */
  get(key: K, now?: number): V | undefined {
    return this.store.get(0, key, now, undefined);
  }

  /** `get` in a space. */
  getIn(space: number, key: K & string, now?: number): V | undefined {
    return this.store.get(space, key, now, undefined);
  }

  /**
   * The value as long as it is held, also when its time is over: for callers that compare times themselves, such as those
   * that may still use a stale value. Counts as a use; the clock is never read.
   */
  heldIn(space: number, key: K & string): V | undefined {
    return this.store.getHeld(space, key);
  }

  /** The value, or {@link MISS} where there is none: for caches whose values may be `undefined`. Counts as a use. */
  read(key: K, now?: number): V | typeof MISS {
    return this.store.get(0, key, now, MISS);
  }

  /** `read` in a space. */
  readIn(space: number, key: K & string, now?: number): V | typeof MISS {
    return this.store.get(space, key, now, MISS);
  }

  /** The value, or `undefined`. Not a use: neither the policy nor the statistics nor the idle time know of it. */
  peek(key: K, now?: number): V | undefined {
    return this.peekSlot(this.store.find(0, key), now);
  }

  /** `peek` in a space. */
  peekIn(space: number, key: K & string, now?: number): V | undefined {
    return this.peekSlot(this.store.find(space, key), now);
  }

  /** Whether there is an entry. Not a use. */
  has(key: K, now?: number): boolean {
    return this.isLive(this.store.find(0, key), now);
  }

  /** `has` in a space. */
  hasIn(space: number, key: K & string, now?: number): boolean {
    return this.isLive(this.store.find(space, key), now);
  }

  /** The entry's value, weight and remaining time, or `undefined`. Not a use. */
  inspect(key: K, now?: number): EntryDetails<V> | undefined {
    return this.inspectSlot(this.store.find(0, key), now);
  }

  /** `inspect` in a space. */
  inspectIn(space: number, key: K & string, now?: number): EntryDetails<V> | undefined {
    return this.inspectSlot(this.store.find(space, key), now);
  }

  /**
   * Stores a value; the policy may evict others for it, or find it not worth keeping.
   *
   * @returns false if the entry alone is heavier than `maxWeight`: then it is not stored, a former value of the key is
   *   gone too, and the removal listener is told with the cause `"size"`
   * @throws RangeError for a ttl or weight out of range, and what the weigher throws: nothing has changed then
   */
  set(key: K, value: V, options?: SetOptions): boolean {
    const { usual } = this.settings;
    return options === undefined && usual !== undefined
      ? this.store.set(0, key, value, usual)
      : this.setWith(0, key, value, options);
  }

  /** `set` in a space. */
  setIn(space: number, key: K & string, value: V, options?: SetOptions): boolean {
    const { usual } = this.settings;
    return options === undefined && usual !== undefined
      ? this.store.set(space, key, value, usual)
      : this.setWith(space, key, value, options);
  }

  /** Removes an entry. Returns whether there was one. */
  delete(key: K, now?: number): boolean {
    return this.deleteSlot(this.store.find(0, key), now);
  }

  /** `delete` in a space. */
  deleteIn(space: number, key: K & string, now?: number): boolean {
    return this.deleteSlot(this.store.find(space, key), now);
  }

  /** Removes all entries of all spaces, and gives their memory back. Constant time without a removal listener. */
  clear(): void {
    this.store.clear();
  }

  /** Removes all entries of a space, and returns their number. Looks at every entry of the cache. */
  clearSpace(space: number): number {
    const store = this.store;
    let count = 0;
    for (let slot = 0; slot < store.unused; slot++) {
      if (!store.isHeld(slot) || store.spaceOf(slot) !== space) continue;
      store.remove(slot, "cleared");
      count++;
    }
    if (store.room.isShrinking) store.tidy();
    else store.finish();
    return count;
  }

  /**
   * The entries of space 0, in no particular order, without those that have expired by now. Entries that come or go
   * during the iteration may be missed; one that stays is seen exactly once. A cache does not give memory back while an iteration is under way.
   */
  entries(): IterableIterator<[K, V]> {
    return this.entriesIn(0);
  }

  /** `entries` of a space. */
  entriesIn(space: number): IterableIterator<[K, V]> {
    return entriesOf(this.store, space);
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entriesIn(0);
  }

  /** What was counted since the cache was made. */
  stats(): CacheStats {
    const { hits, misses, size, weight, refused, removals } = this.store;
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
   * operations that follow and in the background, a few at a time, so that nobody waits for a million evictions.
   *
   * @param maxSize most entries from now on
   * @param maxWeight most total weight from now on. Default: as it was
   * @throws RangeError for a limit out of range
   */
  resize(maxSize: number, maxWeight: number = this.maxWeight): void {
    this.store.resize({ maxSize: checkMaxSize(maxSize), maxWeight: checkMaxWeight(maxWeight) });
  }

  private setWith(space: number, key: K, value: V, options: SetOptions | undefined): boolean {
    const { ttl, weigher } = this.settings;
    // The user's code first: it may throw, or use the cache itself.
    const weight = options?.weight ?? weigher?.(value, key);
    return this.store.set(
      space,
      key,
      value,
      placement(
        weight === undefined ? 1 : checkWeight(weight),
        options?.ttl === undefined ? ttl : checkTime("ttl", options.ttl),
        options?.now,
      ),
    );
  }

  private deleteSlot(slot: number, now: number | undefined): boolean {
    if (slot < 0) return false;
    const live = this.isLive(slot, now);
    this.store.remove(slot, live ? "explicit" : "expired");
    this.store.finish();
    return live;
  }

  private peekSlot(slot: number, now: number | undefined): V | undefined {
    return this.isLive(slot, now) ? this.store.valueAt(slot) : undefined;
  }

  private inspectSlot(slot: number, given: number | undefined): EntryDetails<V> | undefined {
    if (slot < 0) return undefined;
    const { store } = this;
    const { expiry } = store;
    const now = expiry.ends(slot) ? (given ?? expiry.clock.now()) : 0;
    if (expiry.isOver(slot, now)) return undefined;
    const [value, weight] = [store.valueAt(slot), store.weightOf(slot)];
    return { value, weight, remaining: expiry.remaining(slot, now) };
  }

  private isLive(slot: number, now: number | undefined): boolean {
    if (slot < 0) return false;
    const { expiry } = this.store;
    return !expiry.ends(slot) || !expiry.isOver(slot, now ?? expiry.clock.now());
  }
}

/** The inside of a cache, for tests that check its structure. Not part of the package's face. */
export function storeOf<K, V>(cache: BoundedCache<K, V>): Store<K, V> {
  return cache["store"];
}
