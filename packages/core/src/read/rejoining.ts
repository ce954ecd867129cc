import type { ApartReader } from "../runtime/apart-reader.js";
import type { Flight } from "../runtime/flight.js";
import type { ReplacedEntry } from "../runtime/replaced-entry.js";

/** The ways to move readers that a flight's value does not serve. */
export interface Rejoining {
  /** Returns the flight of the same key that is open now. */
  openFlight(flight: Flight): Flight;
  /** Moves a reader with a limit of age to a load that begins later. */
  refreshFor(reader: ApartReader, replaced: ReplacedEntry | undefined): void;
  /**
   * Moves a flight that has not begun its load to the kind that replaced its own, if there is one.
   */
  renew(flight: Flight): void;
}
