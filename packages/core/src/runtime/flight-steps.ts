import type { Flight } from "./flight.js";

/** The steps of the pipeline for the answers of a tier. */
export interface FlightSteps {
  arrived(flight: Flight, bytes: Uint8Array | undefined, trouble: Error | undefined): void;
  /**
   * Called when a newer operation than the flight's load has come. Readers that asked too late for
   * that load need not wait for it.
   */
  overtaken(flight: Flight): void;
}

/** The receiver of what a flight does that loads a node before it is read. */
export interface Prefetching extends FlightEnd {
  /** The node was loaded. */
  loaded(flight: Flight, value: unknown): void;
}

/** The receiver of the end of a flight that nobody waits for. */
export interface FlightEnd {
  /** @param failure the error that a reader would get */
  ended(flight: Flight, failure: { readonly error: unknown } | undefined): void;
}
