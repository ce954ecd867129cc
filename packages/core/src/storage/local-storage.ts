import type { Cached } from "../entry/entry.js";
import type { LocalSnapshot } from "./local-snapshot.js";

/**
 * A place for values in this process: synchronous, values by reference.
 *
 * An entry is found by a *space* and a key. Each node class has a space of its own (a small
 * integer). So the keys of many classes share one bounded cache, and a read builds no longer
 * strings.
 */
export interface LocalStorage {
  readonly kind: "local";
  /**
   * The form in which readers get values: with plain objects and arrays frozen, unchanged, or
   * copied. A class's nearest local storage also decides it for readers that wait for a load
   * together. Default: `"shared"`.
   */
  readonly values?: LocalValues | undefined;
  /**
   * Copies a value, so that each of several readers gets its own. Only if `values` is `"cloned"`.
   *
   * @throws SerializationError for a value that cannot be copied exactly
   */
  copy?(value: unknown): unknown;
  /**
   * Saves the entries for the next start. Default: they end with the process.
   */
  readonly snapshot?: LocalSnapshot | undefined;
  /** The storage's name in messages, such as `memory (10,000 entries)`. */
  readonly label: string;
  /**
   * Returns the entry, or `undefined`, and counts as a use of the entry. May still return an entry
   * past its `freshUntil`. The caller compares, so that only entries with a ttl read the clock. No
   * other method is called as often.
   */
  read(space: number, key: string): LocalEntry | undefined;
  /** Returns the same without counting as a use. */
  peek(space: number, key: string): LocalEntry | undefined;
  /**
   * Stores the value, and frees its memory some time after `keptUntil` without being asked.
   *
   * @param now the time in milliseconds since the epoch
   */
  write(space: number, key: string, cached: LocalRecord, now: number): void;
  /**
   * Keeps an entry until another time, for classes with `idle`. Those are refused without it. The
   * entry stays the same object.
   */
  touch?(space: number, key: string, keptUntil: number, now: number): void;
  /** Removes the entry, and returns whether there was one. */
  remove(space: number, key: string): boolean;
  /**
   * Removes every entry of a space. Looks at more entries than those, because other spaces share
   * the storage.
   */
  clear(space: number): void;
  /**
   * Removes the entries of a space whose key the function accepts, and returns their number. Without
   * it, a removal by pattern removes every entry of the space.
   */
  removeWhere?(space: number, accepts: (key: string) => boolean): number;
  /** Frees its memory and its timers. */
  close(): void;
}

/** See the option `values` of `memory`. */
export type LocalValues = "frozen" | "shared" | "cloned";

/** The entry that a local storage holds under a key. The reader of a hit counts it here. */
export interface LocalEntry extends LocalRecord {
  hits: number;
  /**
   * The time until which a stale entry is returned without another thought, because a load to
   * replace it runs or has just failed. A storage only carries it. Default: never.
   */
  quietUntil?: number | undefined;
  idleUntil?: number | undefined;
}

/** A value that a local storage stores. */
export interface LocalRecord extends Cached {
  /**
   * The generations of the entry's tags. A storage returns the same list with the entry; without it
   * an invalidation of the tags would not reach the entry. `undefined` if the entry has no tags.
   */
  readonly generations?: readonly HeldGeneration[] | undefined;
  /**
   * The time until which the storage keeps the entry, because a class may return it when it is
   * stale. Default: `freshUntil`.
   */
  readonly keptUntil?: number | undefined;
  /**
   * The time until which the entry is returned if it is not read before. A storage only carries it,
   * and the reader moves it. Default: never.
   */
  readonly idleUntil?: number | undefined;
}

/** A tag of a local entry, with the generation that the entry was written under. */
export interface HeldGeneration {
  readonly tag: string;
  /** Whether the tag still has that generation. */
  readonly isCurrent: boolean;
}
