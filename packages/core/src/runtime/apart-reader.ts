import type { Flight, LoadOverride } from "./flight.js";
import type { NestedWait } from "./running-load.js";

/**
 * A reader that is answered apart from the others: it takes no value that was stored longer ago than it says, or it gets a copy
 * of its own.
 */
export interface ApartReader {
  /** Milliseconds; `Infinity` for any age, and once it waits for a load that is new enough. */
  maxAge: number;
  /** The last birth before it asked: a load that was born later is new enough for it, whatever overtakes the load. */
  readonly asked: number;
  /** Whether a load that ran when the reader came has been, or is being, waited for: it waits for no second one. */
  hasJoinedLoad: boolean;
  /** Loads in place of the node's own load, if it comes to one. */
  readonly override: LoadOverride | undefined;
  /** If the reader is in a load. */
  readonly wait: NestedWait | undefined;
  /** The flight that the reader waits for. */
  flight: Flight;
  /** Whether its signal has aborted: nothing more is done for it. */
  hasLeft: boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}
