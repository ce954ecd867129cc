import type { RemovalCause } from "./removal.js";

/** Counters of a cache since it was created. */
export interface CacheStats {
  /**
   * Reads (`get`, `read`, `heldIn`) that found an entry. `peek`, `has` and `inspect` do not count.
   */
  readonly hits: number;
  /** Reads that found no entry. */
  readonly misses: number;
  /** `hits / (hits + misses)`; 0 before the first read. */
  readonly hitRatio: number;
  /** Number of stored entries. Expired entries count until they are removed. */
  readonly size: number;
  /** Total weight of the stored entries. */
  readonly weight: number;
  /** Number of entries that left, by cause. */
  readonly removals: Readonly<Record<RemovalCause, number>>;
  /** Number of refused `set` calls: the entry alone was heavier than `maxWeight`. */
  readonly refused: number;
  /** Number of times that the removal listener threw or rejected. */
  readonly listenerErrors: number;
}
