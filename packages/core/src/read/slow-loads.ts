import type { Flight } from "../runtime/flight.js";
import type { RunningLoad } from "../runtime/running-load.js";
import type { LocalRecord } from "../storage/local-storage.js";
import type { FlightParts } from "./flight-parts.js";
import { findStaleValue } from "./stale-values.js";

/**
 * Answers the readers of loads that take longer than the soft limit of their class, with a stale
 * value if a tier has one. The load goes on as a revalidation.
 */
export class SlowLoads {
  readonly #parts: FlightParts;

  constructor(parts: FlightParts) {
    this.#parts = parts;
  }

  slow(load: RunningLoad): void {
    for (const flight of load.flights) {
      this.#replace(flight, load);
      for (const follower of flight.followers ?? []) this.#replace(follower, load);
    }
  }

  /** The callers of a refresh ask for a new value. */
  #replace(flight: Flight, load: RunningLoad): void {
    if (flight.refreshes || flight.revalidates !== undefined) return;
    const { follows, load: own, reads } = flight;
    findStaleValue(this.#parts, flight, (found) => {
      const isWaiting = flight.state === "loading" || flight.state === "following";
      // After an invalidation it waits for another load, and the value that was found is too old.
      const isSame = flight.follows === follows && flight.load === own && flight.reads === reads;
      if (found === undefined || !isWaiting || !isSame) return;
      this.#answer(flight, found);
      load.relax();
    });
  }

  #answer(flight: Flight, { value, generations }: LocalRecord): void {
    const { stats } = flight.runtime;
    flight.found = generations;
    this.#parts.revalidations.takeOver(flight);
    const answered = this.#parts.landing.serve(flight, value);
    stats.misses += answered;
    stats.stale += answered;
  }
}
