import type { ValueType } from "../serializer/value-type.js";
import type { LocalValues } from "../storage/local-storage.js";
import type { SnapshotOptions } from "./snapshot/snapshot-options.js";

/** The settings of `memory`. */
export interface MemoryOptions {
  /**
   * The most entries of all node classes together. Beyond that an entry is evicted. Default: 10,000
   * without `maxWeight`.
   */
  readonly maxSize?: number | undefined;
  /** The highest weight of all entries together, in the unit of `weigher`. Default: no limit. */
  readonly maxWeight?: number | undefined;
  /**
   * Returns the weight of a value: a whole number, 0 or more. Called once for each stored value,
   * and again when the `idle` of its class keeps it for longer. Default: 1.
   */
  readonly weigher?: ((value: unknown) => number) | undefined;
  /**
   * The policy that chooses the entry to evict if there is no room; see the README of
   * `@cacheme/memory`. Default: `"tlfu"`.
   */
  readonly policy?: "tlfu" | "lru" | "lfu" | "fifo" | undefined;
  /**
   * The form in which readers get the values of entries, and of loads that several readers wait
   * for.
   *
   * - `"frozen"`: one object for all readers. Its plain objects and arrays are frozen, so that
   *   changing it throws.
   * - `"shared"`: one object for all readers, unchanged. A change by one reader shows for all.
   * - `"cloned"`: an equal copy for each reader. A value that cannot be copied exactly is not
   *   stored.
   *
   * Default: `"frozen"`, and `"shared"` if NODE_ENV is `production`, because frozen arrays are
   * slower to iterate.
   */
  readonly values?: LocalValues | undefined;
  /** With `"cloned"`: types of your own that are copied by encoding and decoding. Default: none. */
  readonly types?: readonly ValueType[] | undefined;
  /**
   * The file that keeps entries from one start to the next. They are saved at `close`, by
   * `saveSnapshot()`, and at intervals if asked; `registerStorage` reads them. Without a remote tier
   * and a bus a class gets its values back, otherwise the keys with their frequencies. Default: none.
   */
  readonly snapshot?: string | SnapshotOptions | undefined;
}
