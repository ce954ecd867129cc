import type { Landing } from "./landing.js";
import type { Leasing } from "./leasing.js";
import type { ReadParts } from "./read-parts.js";

/** The parts that the steps of a flight share. */
export interface FlightParts extends ReadParts {
  readonly landing: Landing;
  readonly leasing: Leasing;
}
