import type { Clock } from "../clock.js";
import type { Flight } from "../runtime/flight.js";
import { lastBirth } from "../runtime/operation.js";
import type { LocalRecord } from "../storage/local-storage.js";
import type { Landing } from "./landing.js";
import { keptLocally } from "./local-tiers.js";
import type { RemoteTiers } from "./remote-tiers.js";
import type { Revalidations } from "./revalidations.js";

/**
 * Answers the readers of flights whose load has failed: with a stale value if the class returns such
 * values and a tier still has one, else with the error. The tiers are read once more, because the
 * key may have been removed while it was loaded.
 */
export class FailedLoads {
  readonly #clock: Clock;
  readonly #landing: Landing;
  readonly #remoteTiers: RemoteTiers;
  readonly #revalidations: Revalidations;

  constructor(clock: Clock, landing: Landing, remoteTiers: RemoteTiers, revalidations: Revalidations) {
    this.#clock = clock;
    this.#landing = landing;
    this.#remoteTiers = remoteTiers;
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
    const { runtime, key } = flight;
    const local = keptLocally(runtime, key, this.#clock.now());
    if (local !== undefined) {
      this.#answer(flight, local, error);
      return;
    }
    if (runtime.remoteTiers.length === 0) {
      this.#reject(flight, error);
      return;
    }
    const since = lastBirth();
    void this.#remoteTiers.readKept(runtime, key, flight.tags).then((found) => {
      if (found === undefined) {
        this.#reject(flight, error);
        return;
      }
      // Readers that asked after an invalidation of a tag read again.
      const { generations } = found;
      if (generations !== undefined && runtime.tags.isEntryOvertaken(generations, since)) flight.close();
      this.#answer(flight, found, error);
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
