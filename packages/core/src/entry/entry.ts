/**
 * One cached value with what is known of it. `undefined` is a value like any other: a miss is the absence of the entry,
 * never an entry without a value.
 */
export interface Entry<V = unknown> {
  /** The value. Plain objects and arrays in it may be frozen: see the `values` option of `memory()`. */
  readonly value: V;
  /** When it was stored first, in milliseconds since the epoch, by the clock of the process that stored it. */
  readonly writtenAt: number;
  /** Until when it may be returned, on the same clock; `Infinity` where it has no ttl. */
  readonly freshUntil: number;
}
