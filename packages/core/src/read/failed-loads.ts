import type { CachedError } from "../cached-error.js";
import { Failure } from "../entry/failure.js";
import { captureTold } from "../runtime/capture-tags.js";
import type { Flight } from "../runtime/flight.js";
import type { LocalRecord } from "../storage/local-storage.js";
import type { FlightParts } from "./flight-parts.js";
import { countErrorHits, findLocalError } from "./local-errors.js";
import { findStaleValue } from "./stale-values.js";

/**
 * Answers the readers of flights whose load has failed: with a stale value if the class returns such
 * values and a tier still has one, else with the error.
 */
export class FailedLoads {
  readonly #parts: FlightParts;

  constructor(parts: FlightParts) {
    this.#parts = parts;
  }

  /**
   * Rejects the readers of a flight that has found a cached error in a tier.
   *
   * @param tier the tier's place
   */
  found(flight: Flight, tier: number, record: LocalRecord, failure: Failure): void {
    const { runtime, key } = flight;
    const name = runtime.tiers[tier]?.name ?? "";
    flight.state = "filling";
    flight.found = record.generations;
    this.#parts.landing.dismiss(flight, record, name, false);
    this.#parts.store.backFill(flight, record, tier, false);
    const error = failure.toError(record.writtenAt);
    countErrorHits(this.#parts.events, runtime, key, { index: tier, name, readers: flight.readers, error });
    this.#parts.landing.crash(flight, error, (follower) => this.failed(follower, error, error));
  }

  /** Does the same if a local tier has an error now, and returns whether one has. */
  foundLocally(flight: Flight): boolean {
    const found = findLocalError(flight.runtime, flight.key, this.#parts.clock.now());
    if (found === undefined) return false;
    const { index, record, failure } = found;
    const { writtenAt, freshUntil, generations } = record;
    this.found(flight, index, { value: failure, writtenAt, freshUntil, generations }, failure);
    return true;
  }

  /** @param cached the form of the error, if it is kept already */
  failed(flight: Flight, error: unknown, cached?: CachedError): void {
    const { runtime } = flight;
    this.#parts.landing.divert(flight);
    // A refresh keeps the old value, but its callers ask for a new one. A revalidation has no readers.
    if (runtime.staleness?.isUsed !== true || flight.refreshes || flight.revalidates !== undefined)
      this.#reject(flight, error, cached);
    else this.#replace(flight, error, cached);
  }

  /** Rejects the readers. Before, it keeps the error if the class does so. */
  #reject(flight: Flight, error: unknown, cached: CachedError | undefined): void {
    const { runtime } = flight;
    const { retaining } = this.#parts.store;
    const ttl =
      runtime.meta.errors && cached === undefined && retaining.ttlOfError(runtime.kind, flight, error);
    if (typeof ttl !== "number") {
      this.#crash(flight, error, cached);
      return;
    }
    const failure = Failure.of(error);
    const failedAt = this.#parts.clock.now();
    const form = failure.toError(failedAt, error);
    if (!mayKeepError(flight)) {
      this.#crash(flight, error, form);
      return;
    }
    flight.state = "filling";
    flight.ttl = ttl;
    const crash = () => this.#crash(flight, error, form);
    const { tagged } = flight;
    if (tagged === undefined) this.#parts.store.storeLoaded(flight, failure, failedAt, crash);
    else {
      captureTold({ flight, tagged, tiers: runtime.remoteTiers }, () =>
        this.#parts.store.storeLoaded(flight, failure, failedAt, crash),
      );
    }
  }

  #crash(flight: Flight, error: unknown, cached: CachedError | undefined): void {
    // Something may have overtaken the load in this tick, at whose end the readers would move.
    this.#parts.landing.divert(flight);
    flight.runtime.stats.misses += flight.readers;
    this.#parts.landing.crash(flight, cached ?? error, (follower) => this.failed(follower, error, cached));
  }

  #replace(flight: Flight, error: unknown, cached: CachedError | undefined): void {
    flight.state = "filling";
    // An error is stored by the right of the leases.
    if (flight.runtime.meta.errors === undefined) flight.rights?.giveBack();
    findStaleValue(this.#parts, flight, (found) => {
      if (found === undefined) this.#reject(flight, error, cached);
      else this.#answer(flight, found, error);
    });
  }

  #answer(flight: Flight, record: LocalRecord, error: unknown): void {
    const { value, writtenAt, generations } = record;
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
    this.#parts.revalidations.failed(runtime, key, error, record);
    const answered = this.#parts.landing.land(flight, value, writtenAt);
    runtime.stats.misses += answered;
    runtime.stats.stale += answered;
    this.#parts.revalidations.hush(runtime, key);
  }
}

/**
 * Returns whether the load's error may be stored. A tier may hold a value that an error must not
 * replace, or a write or a removal has come meanwhile. Then nothing is stored.
 */
function mayKeepError(flight: Flight): boolean {
  const { activity, fenced, refreshes, replaces, revalidates } = flight;
  return !fenced && !refreshes && !replaces && revalidates === undefined && !activity.isMutating;
}
