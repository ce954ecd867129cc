import type { Fitting } from "./column.js";

/** A part of a cache that keeps something per slot, in columns: arrays with a number for each. */
export interface PerSlot {
  /** A step towards room for `capacity` slots in one column that has another length. False: all have it. */
  fitOne(capacity: number, fitting: Fitting): boolean;
  /** What is known of the held slot `from` is from now on that of `to`, which is not held. */
  moveSlot(from: number, to: number): void;
}
