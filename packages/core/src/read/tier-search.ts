import { endsAfter, isFresh } from "../entry/lifetime.js";
import { captureOwn } from "../runtime/capture-tags.js";
import type { Flight } from "../runtime/flight.js";
import type { RemoteTier } from "../runtime/node-kind.js";
import { lastBirth } from "../runtime/operation.js";
import { ExpectingRead } from "./expecting-read.js";
import type { FlightParts } from "./flight-parts.js";
import type { FoundRecord } from "./remote-tiers.js";

/** The steps that follow a search. */
export interface SearchSteps {
  /** Called when a search begins. */
  begins(flight: Flight): void;
  /** Called with the value of a remote tier. */
  found(flight: Flight, tier: number, record: FoundRecord): void;
  /** Called if no remote tier has a value that can be used, so that it must be loaded. */
  missed(flight: Flight): void;
  /** Called if a newer operation has come meanwhile, so that the findings do not count. */
  overtaken(flight: Flight): void;
}

/**
 * Searches the remote tiers of flights from left to right. In each tier without the value it
 * captures the generations of the node's tags and acquires the lease, before it reads the next one.
 */
export class TierSearch {
  readonly #parts: FlightParts;
  readonly #steps: SearchSteps;

  constructor(parts: FlightParts, steps: SearchSteps) {
    this.#parts = parts;
    this.#steps = steps;
  }

  /** State "reading": handles the answer of a remote tier. */
  arrived(flight: Flight, bytes: Uint8Array | undefined, trouble: Error | undefined): void {
    const tier = flight.runtime.tiers[flight.tier];
    if (flight.mustReadAgain) {
      this.#steps.overtaken(flight);
      return;
    }
    if (tier?.kind !== "remote") {
      this.#readNextTier(flight);
      return;
    }
    if (trouble !== undefined) {
      // Sends no further request to the storage. The flight loads without the right to fill the tier.
      this.#parts.leasing.skip(flight, tier);
      this.#foundIn(flight, tier, undefined);
      return;
    }
    if (bytes === undefined) {
      flight.tagged?.capture(tier.storage);
      this.#missed(flight, tier, undefined);
      return;
    }
    const { runtime, storageKey, tags } = flight;
    const { answeredAt } = tier.storage;
    const found = this.#parts.remoteTiers.entryIn(runtime, tier, storageKey, bytes, tags, answeredAt);
    this.examined(flight, tier, bytes, found);
  }

  /** State "reading": handles the entry in the bytes of a remote tier, or bytes that are none. */
  examined(flight: Flight, tier: RemoteTier, bytes: Uint8Array, found: FoundRecord | undefined): void {
    // A hit needs no generations for a load.
    if (found === undefined || found.claims !== undefined || !this.#mayAnswer(flight, found))
      flight.tagged?.capture(tier.storage);
    const { expired } = this.#parts.remoteTiers;
    if (found === undefined && expired !== undefined) this.#hold(flight, tier, bytes, expired);
    else if (found?.claims === undefined) this.#answered(flight, tier, bytes, found);
    else this.#confirm(flight, tier, found, (entry) => this.#answered(flight, tier, bytes, entry));
  }

  /** Keeps the expired entry for the flight's load. */
  #hold(flight: Flight, tier: RemoteTier, bytes: Uint8Array, expired: FoundRecord): void {
    this.#confirm(flight, tier, expired, (record) => {
      if (record !== undefined && !flight.mustReadAgain)
        flight.replaced ??= { record, origin: tier.name, size: bytes.byteLength };
      this.#answered(flight, tier, bytes, undefined);
    });
  }

  #confirm(
    flight: Flight,
    tier: RemoteTier,
    found: FoundRecord,
    done: (confirmed: FoundRecord | undefined) => void,
  ): void {
    this.#parts.remoteTiers.confirm(tier, found, flight.expected, done);
  }

  #answered(flight: Flight, tier: RemoteTier, bytes: Uint8Array, found: FoundRecord | undefined): void {
    const isFound = found !== undefined && this.#mayAnswer(flight, found);
    if (found !== undefined && !isFound)
      flight.replaced ??= { record: found, origin: tier.name, size: bytes.byteLength };
    if (!isFound && !flight.mustReadAgain) this.#missed(flight, tier, bytes);
    else this.#foundIn(flight, tier, found);
  }

  /** Returns whether the flight is answered with the entry. A revalidation replaces some. */
  #mayAnswer({ runtime, key, revalidates, dueUntil }: Flight, found: FoundRecord): boolean {
    const { staleness } = runtime;
    if (staleness === undefined) return true;
    const now = this.#parts.clock.now();
    if (revalidates === undefined) return staleness.mayAnswer(found, key, now);
    return isFresh(found, now) && endsAfter(found, dueUntil);
  }

  /** Handles an entry that a remote tier has answered, or has none that can be used. */
  #foundIn(flight: Flight, tier: RemoteTier, found: FoundRecord | undefined): void {
    // A tag was invalidated while the tier was read, which may have answered before.
    const isOvertaken =
      found?.generations !== undefined &&
      this.#parts.tags.isEntryOvertaken(found.generations, flight.readSince);
    if (flight.mustReadAgain || isOvertaken) this.#steps.overtaken(flight);
    else if (found === undefined) this.#readNextTier(flight);
    else this.#steps.found(flight, tier.index, found);
  }

  /**
   * State "acquiring": acquires the lease of a tier without a usable value, before it reads the
   * tier on its right. Captures the generations of the tags before, because an invalidation after
   * that must be noticed.
   *
   * @param seen the bytes that cannot be used
   */
  #missed(flight: Flight, tier: RemoteTier, seen: Uint8Array | undefined, distrusts: boolean = false): void {
    this.#capture(flight, [tier], () => {
      if (flight.mustReadAgain || !this.#parts.leasing.needs(flight, tier)) {
        this.#foundIn(flight, tier, undefined);
        return;
      }
      const done = (found: FoundRecord | undefined) => this.#foundIn(flight, tier, found);
      this.#parts.leasing.acquire({ flight, tier, seen, distrusts, done });
    });
  }

  /** State "acquiring": takes the leases of all tiers. */
  takeLeases(flight: Flight): void {
    this.#capture(flight, flight.runtime.remoteTiers, () => {
      this.#parts.leasing.takeAll(flight, () => this.#steps.missed(flight));
    });
  }

  /** Ends the search without a value. */
  #end(flight: Flight): void {
    this.#capture(flight, flight.runtime.remoteTiers, () => {
      if (flight.mustReadAgain) this.#steps.overtaken(flight);
      else this.#steps.missed(flight);
    });
  }

  /** Captures the generations of the flight's tags in the tiers, at once if they are known. */
  #capture(flight: Flight, tiers: readonly RemoteTier[], done: () => void): void {
    const { tagged, runtime } = flight;
    if (tagged === undefined) {
      done();
      return;
    }
    flight.state = "reading";
    captureOwn({ kind: runtime.kind, tagged, tiers, clock: this.#parts.clock }, done);
  }

  /** State "reading": reads from the first remote tier on. */
  begin(flight: Flight): void {
    flight.state = "reading";
    flight.tier = -1;
    flight.mustReadAgain = false;
    flight.replaced = undefined;
    flight.skippedTier = false;
    flight.mutations = flight.activity.mutations;
    flight.readSince = lastBirth();
    flight.reads += 1;
    this.#steps.begins(flight);
    this.#readNextTier(flight);
  }

  #readNextTier(flight: Flight): void {
    const { activity } = flight;
    for (const tier of flight.runtime.remoteTiers) {
      if (tier.index <= flight.tier) continue;
      if (!activity.distrusts(tier) && !this.#distrustsTags(flight, tier)) {
        flight.tier = tier.index;
        this.#read(flight, tier);
        return;
      }
      flight.skippedTier = true;
      if (!this.#parts.leasing.needs(flight, tier)) continue;
      flight.tier = tier.index;
      this.#missed(flight, tier, undefined, true);
      return;
    }
    this.#end(flight);
  }

  #read(flight: Flight, { storage }: RemoteTier): void {
    const { kind } = flight.runtime;
    flight.expected = kind.tellsTags ? this.#parts.remoteTiers.expected.of(flight.storageKey) : undefined;
    storage.read(flight.expected === undefined ? flight : new ExpectingRead(flight, flight.expected));
  }

  #distrustsTags({ tags }: Flight, { storage }: RemoteTier): boolean {
    return tags !== undefined && this.#parts.tags.distrusts(storage, tags);
  }
}
