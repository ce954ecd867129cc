import { deepFreeze } from "../entry/freeze.js";
import type { Flight } from "../runtime/flight.js";
import type { UnsavedValue, UnsavedValues } from "../runtime/unsaved-values.js";
import type { FlightParts } from "./flight-parts.js";
import type { TierSearch } from "./tier-search.js";

/** The most times that a flight asks again for a value that was saved again meanwhile. */
const mostAsks = 3;

/**
 * Looks for an unsaved value of a class that writes behind, before the tiers are searched. A tier
 * must not be read beside the journal: the value may leave the journal after the tier was read, and
 * before the journal is.
 */
export class UnsavedSearch {
  readonly #parts: FlightParts;
  readonly #search: TierSearch;

  constructor(parts: FlightParts, search: TierSearch) {
    this.#parts = parts;
    this.#search = search;
  }

  /** Begins a search of the tiers, behind the journal. */
  begin(flight: Flight): void {
    const { unsaved } = flight.runtime;
    if (unsaved === undefined) this.#search.begin(flight);
    else this.#ask(flight, unsaved, 1, () => this.#search.begin(flight));
  }

  /** Takes the leases of all tiers, for a load that reads no tier. */
  takeLeases(flight: Flight): void {
    const { unsaved } = flight.runtime;
    if (unsaved === undefined) this.#search.takeLeases(flight);
    else this.#ask(flight, unsaved, 1, () => this.#search.takeLeases(flight));
  }

  /** Returns whether a value may have been saved since the flight has looked in the journal. */
  isOutdated({ runtime, mutations, activity }: Flight): boolean {
    return runtime.unsaved !== undefined && mutations !== activity.mutations;
  }

  #ask(flight: Flight, unsaved: UnsavedValues, asks: number, otherwise: () => void): void {
    flight.state = "reading";
    flight.mustReadAgain = false;
    flight.mutations = flight.activity.mutations;
    unsaved.find(flight.runtime, flight.key, (found, trouble) => {
      const isOvertaken = flight.mustReadAgain || this.isOutdated(flight);
      if (isOvertaken && (found === undefined || asks < mostAsks)) {
        this.#ask(flight, unsaved, asks + 1, otherwise);
        return;
      }
      // The tiers may have an older value than the journal, so no local tier may keep it.
      if (trouble !== undefined) flight.cleared = true;
      if (found === undefined) otherwise();
      else this.#answer(flight, unsaved, found);
    });
  }

  #answer(flight: Flight, { journal }: UnsavedValues, { value }: UnsavedValue): void {
    const { runtime, key } = flight;
    flight.state = "filling";
    flight.found = undefined;
    flight.rights?.giveBack();
    if (this.#parts.values.areFrozen(runtime)) deepFreeze(value);
    if (this.#parts.events.listeners.hit !== null && flight.readers > 0)
      this.#parts.events.emit("hit", { node: runtime.name, key, storage: journal, readers: flight.readers });
    // No source has a newer value, so it is young enough for every reader.
    const answered = this.#parts.landing.land(flight, value, this.#parts.clock.now());
    const place = runtime.tiers.length;
    runtime.stats.hits[place] = (runtime.stats.hits[place] ?? 0) + answered;
  }
}
