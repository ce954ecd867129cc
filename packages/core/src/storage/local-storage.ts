import type { Cached } from "../entry/entry.js";

/**
 * A place for values in this process: synchronous, values by reference.
 *
 * An entry is found by a *space* and a key. Every node class has a space of its own (a small integer), so that the keys of
 * many classes live in one bounded cache without longer strings being built for each read.
 */
export interface LocalStorage {
  readonly kind: "local";
  /** What to call this storage in messages, such as `memory (10,000 entries)`. */
  readonly label: string;
  /**
   * The unexpired entry, or `undefined`. Counts as a use of the entry. This is the hottest call of all.
   *
   * @param now the time in milliseconds since the epoch
   */
  read(space: number, key: string, now: number): LocalEntry | undefined;
  /** The same without counting as a use. */
  peek(space: number, key: string, now: number): LocalEntry | undefined;
  /** Stores the entry until its `freshUntil`, unless it has passed. Returns the entry as the next read will see it. */
  write(space: number, key: string, entry: Cached, now: number): LocalEntry;
  /** Whether there was one. */
  remove(space: number, key: string): boolean;
  /** Gives back what it holds, and its timers. */
  close(): void;
}

/** What a local storage holds under a key. The reader of a hit counts it here. */
export interface LocalEntry extends Cached {
  hits: number;
}
