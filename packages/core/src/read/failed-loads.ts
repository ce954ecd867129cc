import type { Flight } from "../runtime/flight.js";
import type { LocalRecord } from "../storage/local-storage.js";
import type { Landing } from "./landing.js";
import type { Revalidations } from "./revalidations.js";
import type { StaleValues } from "./stale-values.js";

/**
 * Answers the readers of flights whose load has failed: with a stale value if the class returns such
 * values and a tier still has one, else with the error.
 */
export class FailedLoads {
  readonly #landing: Landing;
  readonly #values: StaleValues;
  readonly #revalidations: Revalidations;

  constructor(landing: Landing, values: StaleValues, revalidations: Revalidations) {
    this.#landing = landing;
    this.#values = values;
    this.#revalidations = revalidations;
  }

  failed(flight: Flight, error: unknown): void {
    const { runtime } = flight;
    // A refresh keeps the old value, but its callers ask for a new one. A revalidation has no readers.
    if (runtime.staleness === undefined || flight.refreshes || flight.revalidates !== undefined)
      this.#reject(flight, error);
    else this.#replace(flight, error);
  }

  #reject(flight: Flight, error: unknown): void {
    flight.runtime.stats.misses += flight.readers;
    this.#landing.crash(flight, error, (follower) => this.failed(follower, error));
  }

  #replace(flight: Flight, error: unknown): void {
    flight.state = "filling";
    flight.rights?.giveBack();
    this.#values.find(flight, (found) => {
      if (found === undefined) this.#reject(flight, error);
      else this.#answer(flight, found, error);
    });
  }

  #answer(flight: Flight, { value, writtenAt, generations }: LocalRecord, error: unknown): void {
    const { runtime, key, apart } = flight;
    // A reader with a limit of age has refused stale values.
    flight.apart = apart?.filter((reader) => {
      if (reader.maxAge === Number.POSITIVE_INFINITY) return true;
      flight.readers -= 1;
      runtime.stats.misses += 1;
      reader.reject(error);
      return false;
    });
    flight.found = generations;
    this.#revalidations.failed(runtime, key, error);
    const answered = this.#landing.land(flight, value, writtenAt);
    runtime.stats.misses += answered;
    runtime.stats.stale += answered;
    this.#revalidations.hush(runtime, key);
  }
}
