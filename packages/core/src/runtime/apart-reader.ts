import type { Flight, LoadOverride, RunningLoad } from "./flight.js";

/**
 * A reader that is answered apart from the others: it takes no value that was stored longer ago than it says, or it gets a copy
 * of its own.
 */
export interface ApartReader {
  /** Milliseconds; `Infinity` for any age. */
  readonly maxAge: number;
  /** The last birth before it asked: a load that was born later is new enough for it, whatever overtakes the load. */
  readonly asked: number;
  /** Whether a load that ran when the reader came has been, or is being, waited for: it waits for no second one. */
  readonly hasJoinedLoad: boolean;
  /** Loads in place of the node's own load, if it comes to one. */
  readonly override: LoadOverride | undefined;
  /** The load that waits for the answer, if the reader is in one. */
  readonly waiting: RunningLoad | undefined;
  /** The flight that the reader waits for. */
  flight: Flight;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}
