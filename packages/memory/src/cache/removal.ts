/**
 * Why an entry left the cache:
 *
 * - `"size"`: evicted to stay within `maxSize` or `maxWeight`, or refused because it is heavier than `maxWeight`
 * - `"expired"`: its ttl or idle time was over
 * - `"explicit"`: `delete` was called
 * - `"replaced"`: `set` gave its key another value (this is the old value)
 * - `"cleared"`: `clear` or `clearSpace` was called
 */
export type RemovalCause = "size" | "expired" | "explicit" | "replaced" | "cleared";

/** An entry that left the cache. */
export interface Removal<K, V> {
  readonly key: K;
  readonly value: V;
  readonly cause: RemovalCause;
  /** The number given to `setIn`; 0 for `set`. */
  readonly space: number;
}

/**
 * Told of every entry that leaves the cache, after the cache is consistent again: it may call any of its methods.
 * What it throws, or rejects with, changes nothing in the cache, and goes to `onListenerError`.
 */
export type RemovalListener<K, V> = (removal: Removal<K, V>) => void;

/** Keeps removals until the operation that caused them is over, then tells the listener. */
export class Removals<K, V> implements Record<RemovalCause, number> {
  readonly listener: RemovalListener<K, V> | undefined;
  private readonly onError: ((error: unknown) => void) | undefined;
  private readonly queue: Removal<K, V>[] = [];
  private isNotifying = false;
  // How many entries left, by cause, whether or not anybody listens. Fields, since a name that varies costs 10 to 20 ns.
  size = 0;
  expired = 0;
  explicit = 0;
  replaced = 0;
  cleared = 0;
  /** How often the listener threw or rejected. */
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

  /** Tells the listener. What it causes itself is told by the same loop, in order, and not within itself. */
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
      // An async function is one that returns nothing, to a type.
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
      // Nobody is left to tell.
    }
  }
}

/** A promise of another realm is no instance of this one's class. */
function isThenable(outcome: unknown): outcome is PromiseLike<unknown> {
  return (
    typeof outcome === "object" && outcome !== null && "then" in outcome && typeof outcome.then === "function"
  );
}
