/**
 * A value with its times, as a tier holds it. `undefined` is a value like any other: a miss is the absence of an entry,
 * never an entry without a value.
 */
export interface Cached<V = unknown> {
  readonly value: V;
  /** When it was stored first, in milliseconds since the epoch, by the clock of the process that stored it. */
  readonly writtenAt: number;
  /** Until when it may be returned, on the same clock; `Infinity` where it has no ttl. */
  readonly freshUntil: number;
}

/**
 * One cached value with what is known of it, as `peek` and `peekLocal` answer it.
 *
 * @example
 * ```ts
 * const entry = await peek(new UserNode(1));
 * if (entry !== undefined) console.log(entry.value.name, `from ${entry.origin}, for ${entry.ttl} ms more`);
 * ```
 */
export interface Entry<V = unknown> extends Cached<V> {
  /** The name of the storage that it was found in. */
  readonly origin: string;
  /** Milliseconds for which it may still be returned; `Infinity` where it has no ttl. */
  readonly ttl: number;
  /** The stored bytes with their envelope; `undefined` in a local tier, which holds the value itself. */
  readonly size: number | undefined;
  /** How often a local tier has returned it; `undefined` in a remote tier, which does not count. */
  readonly hits: number | undefined;
}
