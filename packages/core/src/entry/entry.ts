/**
 * A value with its times, as a tier holds it. `undefined` is a value like any other. A miss is the
 * absence of an entry, never an entry without a value.
 */
export interface Cached<V = unknown> {
  readonly value: V;
  /**
   * The time of the first store, in milliseconds since the epoch, by the clock of the storing
   * process.
   */
  readonly writtenAt: number;
  /** The time until which it may be returned, on the same clock; `Infinity` if it has no ttl. */
  readonly freshUntil: number;
  /** The data that the load has kept beside the value; `undefined` without any. */
  readonly kept?: unknown;
}

/**
 * A cached value with its details, as `peek` and `peekLocal` return it.
 *
 * @example
 * ```ts
 * const entry = await peek(new UserNode(1));
 * if (entry !== undefined) console.log(entry.value.name, `from ${entry.origin}, for ${entry.ttl} ms more`);
 * ```
 */
export interface Entry<V = unknown> extends Cached<V> {
  /** The name of the storage that held it. */
  readonly origin: string;
  /** Milliseconds for which it may still be returned; `Infinity` if it has no ttl. */
  readonly ttl: number;
  /**
   * The size of the stored bytes with their envelope; `undefined` in a local tier, which holds the
   * value itself.
   */
  readonly size: number | undefined;
  /**
   * The number of times that a local tier has returned it; `undefined` in a remote tier, which does
   * not count.
   */
  readonly hits: number | undefined;
  /** The tags by which it can be invalidated. */
  readonly tags: readonly string[];
}
