/**
 * Reason why an entry left the cache:
 *
 * - `"size"`: evicted to stay within `maxSize` or `maxWeight`, or refused because it is heavier
 *   than `maxWeight`
 * - `"expired"`: its ttl or idle time had passed
 * - `"explicit"`: `delete` was called
 * - `"replaced"`: `set` stored another value under its key; this is the old value
 * - `"cleared"`: `clear` or `clearSpace` was called
 */
export type RemovalCause = "size" | "expired" | "explicit" | "replaced" | "cleared";

/** An entry that left the cache. */
export interface Removal<K, V> {
  readonly key: K;
  readonly value: V;
  readonly cause: RemovalCause;
  /** Space of the key, as given to `setIn`; 0 for `set`. */
  readonly space: number;
}

/**
 * Is called for every entry that leaves the cache. The cache is consistent by then, so the listener
 * may use it. If the listener throws or rejects, the cache does not change and `onListenerError`
 * gets the error.
 */
export type RemovalListener<K, V> = (removal: Removal<K, V>) => void;

/** Queues removals until the operation that caused them ends, then calls the listener. */
export class Removals<K, V> implements Record<RemovalCause, number> {
  readonly listener: RemovalListener<K, V> | undefined;
  private readonly onError: ((error: unknown) => void) | undefined;
  private readonly queue: Removal<K, V>[] = [];
  private isNotifying = false;
  // Number of removals by cause, with or without a listener. Separate fields, because a computed
  // name costs 10 to 20 ns.
  size = 0;
  expired = 0;
  explicit = 0;
  replaced = 0;
  cleared = 0;
  /** Number of times that the listener threw or rejected. */
  errors = 0;

  constructor(listener: RemovalListener<K, V> | undefined, onError: ((error: unknown) => void) | undefined) {
    this.listener = listener;
    this.onError = onError;
  }

  get counts(): Record<RemovalCause, number> {
    const { size, expired, explicit, replaced, cleared } = this;
    return { size, expired, explicit, replaced, cleared };
  }

  add(key: K, value: V, cause: RemovalCause, space: number): void {
    if (this.listener !== undefined) this.queue.push({ key, value, cause, space });
  }

  /**
   * Calls the listener for each queued removal. If the listener causes removals, this loop reports
   * them too, in order and without recursion.
   */
  notify(): void {
    const { listener } = this;
    if (listener === undefined || this.queue.length === 0 || this.isNotifying) return;
    this.isNotifying = true;
    for (let i = 0; i < this.queue.length; i++) this.notifyOf(listener, this.queue[i] as Removal<K, V>);
    this.queue.length = 0;
    this.isNotifying = false;
  }

  private notifyOf(listener: RemovalListener<K, V>, removal: Removal<K, V>): void {
    try {
      // TypeScript accepts an async function as one that returns nothing.
      const outcome: unknown = listener(removal);
      if (isThenable(outcome)) Promise.resolve(outcome).catch((error: unknown) => this.fail(error));
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.errors++;
    try {
      this.onError?.(error);
    } catch {
      // Nobody is left to report this error to.
    }
  }
}

/**
 * Recognizes promises of every realm: a promise of another realm is no instance of this realm's
 * class.
 */
function isThenable(outcome: unknown): outcome is PromiseLike<unknown> {
  return (
    typeof outcome === "object" && outcome !== null && "then" in outcome && typeof outcome.then === "function"
  );
}
