/**
 * An eviction policy of your own, given as `policy` in the cache's options.
 *
 * An entry is named by its *slot*: an integer from 0 that is unique among the entries held and is used again
 * after `onRemove`, so that a policy can keep what it knows in arrays. Slots are dense: the highest is at most
 * the largest number of entries that were held at once.
 *
 * The methods must not call the cache. What they throw reaches the caller of the cache's method, after the cache
 * has put itself right; where a timer was at work, the next caller.
 *
 * @example
 * ```ts
 * class MostRecentlyInserted implements EvictionPolicy<string> {
 *   readonly #stack: number[] = [];
 *   onInsert(slot: number) { this.#stack.push(slot); }
 *   onAccess() {}
 *   onRemove(slot: number) { this.#stack.splice(this.#stack.indexOf(slot), 1); }
 *   victim() { return this.#stack.at(-2) ?? this.#stack.at(-1); }
 * }
 * const cache = new BoundedCache<string, number>({ maxSize: 100, policy: new MostRecentlyInserted() });
 * ```
 */
export interface EvictionPolicy<K> {
  /** An entry was added. */
  onInsert(slot: number, key: K, weight: number): void;
  /** The entry was hit, or its value was replaced; `weight` is what it weighs now. */
  onAccess(slot: number, weight: number): void;
  /** The entry is gone, whatever the cause: evicted, expired, deleted. */
  onRemove(slot: number): void;
  /** The slot of the entry to evict next; `onRemove` follows. The entry inserted last may be the answer. */
  victim(): number | undefined;
}
