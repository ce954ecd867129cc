import type { Fitting } from "./column.js";

/**
 * Part of a cache that keeps something per slot, in columns: arrays with a number for each slot.
 */
export interface PerSlot {
  /**
   * Takes a step to give one column the length for `capacity` slots. Returns false if all columns
   * have it.
   */
  fitOne(capacity: number, fitting: Fitting): boolean;
  /** Moves the data of the stored slot `from` to `to`, a slot without an entry. */
  moveSlot(from: number, to: number): void;
}
