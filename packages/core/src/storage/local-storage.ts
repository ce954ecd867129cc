import type { Cached } from "../entry/entry.js";

/**
 * A place for values in this process: synchronous, values by reference.
 *
 * An entry is found by a *space* and a key. Every node class has a space of its own (a small integer), so that the keys of
 * many classes live in one bounded cache without longer strings being built for each read.
 */
export interface LocalStorage {
  readonly kind: "local";
  /**
   * What readers of the entries are given: what is stored with its plain objects and arrays frozen, the same as it is, or copies.
   * A class's nearest local storage decides it also for readers who wait for a load together. Default: `"shared"`.
   */
  readonly values?: LocalValues | undefined;
  /**
   * Copies a value, so that each of several readers has one. Only where `values` is `"cloned"`.
   *
   * @throws SerializationError for what cannot be copied exactly
   */
  copy?(value: unknown): unknown;
  /** What to call this storage in messages, such as `memory (10,000 entries)`. */
  readonly label: string;
  /**
   * The entry, or `undefined`. It counts as a use of the entry. An entry past its `freshUntil` may still be returned: the
   * caller compares, so that the clock is read for entries with a ttl only. This is the hottest call of all.
   */
  read(space: number, key: string): LocalEntry | undefined;
  /** The same without counting as a use. */
  peek(space: number, key: string): LocalEntry | undefined;
  /**
   * Stores the value, and gives its memory back some time after `freshUntil` without being asked.
   *
   * @param now the time in milliseconds since the epoch
   */
  write(space: number, key: string, cached: Cached, now: number): void;
  /** Whether there was one. */
  remove(space: number, key: string): boolean;
  /** Removes every entry of a space. Others share the storage, so this looks at more entries than those. */
  clear(space: number): void;
  /** Gives back what it holds, and its timers. */
  close(): void;
}

/** See the option `values` of `memory`. */
export type LocalValues = "frozen" | "shared" | "cloned";

/** What a local storage holds under a key. The reader of a hit counts it here. */
export interface LocalEntry extends Cached {
  hits: number;
}
