/**
 * Custom eviction policy: the `policy` option of a cache.
 *
 * A policy names an entry by its *slot*, an integer from 0. A slot is unique among the stored
 * entries and is reused after `onRemove`. So a policy can keep its data in arrays. Slots are dense:
 * the highest is at most the largest number of entries that were stored at once.
 *
 * The methods must not call the cache. If a method throws, the caller of the cache gets the error,
 * after the cache is consistent again. If a timer was running, the next caller gets it.
 *
 * @example
 * ```ts
 * class MostRecentlyInserted implements EvictionPolicy<string> {
 *   readonly #stack: number[] = [];
 *   onInsert(slot: number) {
 *     this.#stack.push(slot);
 *   }
 *   onAccess() {}
 *   onRemove(slot: number) {
 *     this.#stack.splice(this.#stack.indexOf(slot), 1);
 *   }
 *   victim() {
 *     return this.#stack.at(-2) ?? this.#stack.at(-1);
 *   }
 * }
 * const policy = new MostRecentlyInserted();
 * const cache = new BoundedCache<string, number>({ maxSize: 100, policy });
 * ```
 */
export interface EvictionPolicy<K> {
  /** Handles a new entry. */
  onInsert(slot: number, key: K, weight: number): void;
  /** Handles a hit, or a new value. `weight` is the current weight of the entry. */
  onAccess(slot: number, weight: number): void;
  /** Handles a removal, whatever its cause: evicted, expired, deleted. */
  onRemove(slot: number): void;
  /**
   * Returns the slot of the entry to evict next; a call of `onRemove` follows. The entry inserted
   * last may be the answer.
   */
  victim(): number | undefined;
}
