import type { RemovalCause } from "./removal.js";

/** What a cache has counted since it was made. */
export interface CacheStats {
  /** Reads (`get`, `read`, `heldIn`) that found an entry. `peek`, `has` and `inspect` are not counted. */
  readonly hits: number;
  /** Reads that found none. */
  readonly misses: number;
  /** `hits / (hits + misses)`; 0 before the first read. */
  readonly hitRatio: number;
  /** Entries held. Expired ones count until their memory is given back. */
  readonly size: number;
  /** Their total weight. */
  readonly weight: number;
  /** How many entries left, by cause. */
  readonly removals: Readonly<Record<RemovalCause, number>>;
  /** `set`s refused because the entry alone is heavier than `maxWeight`. */
  readonly refused: number;
  /** How often the removal listener threw or rejected. */
  readonly listenerErrors: number;
}
