import type { LoadOverride } from "./asking.js";
import type { Flight } from "./flight.js";
import type { NestedWait } from "./running-load.js";

/**
 * A reader that is answered apart from the others. It takes no value older than its limit, or it
 * gets a copy of its own.
 */
export interface ApartReader {
  /** Milliseconds; `Infinity` for any age, and once it waits for a load that is new enough. */
  maxAge: number;
  /**
   * The last birth before its call. A load that was born later is new enough for it, even if
   * something overtakes the load.
   */
  readonly asked: number;
  /**
   * Whether it has waited, or waits, for a load that ran when it came. It does not wait for a
   * second one.
   */
  hasJoinedLoad: boolean;
  /** The load that replaces the node's own, if the reader comes to a load. */
  readonly override: LoadOverride | undefined;
  /** The wait of the load in which the reader runs, if any. */
  readonly wait: NestedWait | undefined;
  /** The flight that the reader waits for. */
  flight: Flight;
  /** Whether its signal has aborted, so that no more work is done for it. */
  hasLeft: boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export function addApart(flight: Flight, reader: ApartReader): void {
  flight.apart ??= [];
  flight.apart.push(reader);
}
