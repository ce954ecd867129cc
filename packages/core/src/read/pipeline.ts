import { Failure } from "../entry/failure.js";
import { endsAfter, isFresh } from "../entry/lifetime.js";
import { isAhead } from "../runtime/awaited.js";
import { captureTold } from "../runtime/capture-tags.js";
import { ConditionalLoad } from "../runtime/conditional-load.js";
import type { Flight } from "../runtime/flight.js";
import type { RemoteTier } from "../runtime/node-kind.js";
import type { RunningLoad } from "../runtime/running-load.js";
import type { LocalRecord } from "../storage/local-storage.js";
import type { OperationTags } from "../tags/operation-tags.js";
import { isValid } from "../tags/valid-entry.js";
import { FailedLoads } from "./failed-loads.js";
import type { FlightParts } from "./flight-parts.js";
import { useRemotely } from "./idle.js";
import { Landing } from "./landing.js";
import { Leasing } from "./leasing.js";
import { LoadBatch } from "./load-batch.js";
import type { ExaminedSteps } from "./plain-reading.js";
import { renewedValue } from "./previous-entry.js";
import type { ReadParts } from "./read-parts.js";
import type { FoundRecord } from "./remote-tiers.js";
import { SlowLoads } from "./slow-loads.js";
import { TierSearch } from "./tier-search.js";
import { UnsavedSearch } from "./unsaved-search.js";
import { waitsFor } from "./wait-graph.js";

/**
 * The most times that a flight reads the tiers from the start, because a newer operation came. Then
 * it loads.
 */
const mostReads = 3;

/**
 * Runs the steps of a read that no local tier answers. A read joins or opens the flight of its key.
 * The flight reads the remote tiers from left to right in the tick's batches. Then it is gathered
 * with the tick's loads, loads, stores, and answers.
 */
export class Pipeline implements ExaminedSteps {
  readonly #parts: FlightParts;
  readonly #loads: LoadBatch;
  readonly #failedLoads: FailedLoads;
  readonly #search: TierSearch;
  readonly #unsaved: UnsavedSearch;

  constructor(parts: ReadParts) {
    const { clock, events, tick, space, tags, remoteTiers, rejoining } = parts;
    const landing = new Landing(parts, (flight) => this.#readAgain(flight));
    const shared: FlightParts = { ...parts, landing, leasing: new Leasing(clock, remoteTiers) };
    this.#parts = shared;
    this.#search = new TierSearch(shared, {
      begins: (flight) => rejoining.renew(flight),
      found: (flight, tier, record) => this.#found(flight, tier, record),
      missed: (flight) => this.#missed(flight),
      overtaken: (flight) => this.#readAgain(flight),
    });
    this.#unsaved = new UnsavedSearch(shared, this.#search);
    this.#failedLoads = new FailedLoads(shared);
    const slowLoads = new SlowLoads(shared);
    const environment = {
      clock,
      events,
      space,
      tags,
      loaded: (flight: Flight, value: unknown) => this.#loaded(flight, value),
      failed: (flight: Flight, error: unknown) => this.#failed(flight, error),
      dropped: (flight: Flight) => {
        this.#endLoad(flight);
        flight.drop();
      },
      begins: (flight: Flight) => rejoining.renew(flight),
      slow: (load: RunningLoad) => slowLoads.slow(load),
    };
    this.#loads = new LoadBatch(tick, environment, (flight) => this.#mayLoad(flight));
  }

  /** Starts a new flight. A refreshing one reads no tier. */
  enter(flight: Flight): void {
    if (flight.refreshes) this.#unsaved.takeLeases(flight);
    else this.#unsaved.begin(flight);
  }

  /** Gives the leases of all running loads back, so that no other process waits for them. */
  close(): void {
    this.#parts.leasing.close();
  }

  /** Starts the flight's load outside of a line, because a load waits for the flight. */
  promote(flight: Flight): void {
    this.#loads.promote(flight);
  }

  /** Diverts readers at the end of the tick, because the newer value is still being stored. */
  overtaken(flight: Flight): void {
    if (flight.wake !== undefined) this.#parts.tick.add(() => flight.wake?.());
    if (flight.state === "following" || flight.hasLateReaders)
      this.#parts.tick.add(() => this.#parts.landing.divert(flight));
  }

  /** Handles the answer of a remote tier. */
  arrived(flight: Flight, bytes: Uint8Array | undefined, trouble: Error | undefined): void {
    this.#search.arrived(flight, bytes, trouble);
  }

  /** Handles an entry in the bytes of a remote tier, or bytes that are none. */
  examined(flight: Flight, tier: RemoteTier, bytes: Uint8Array, found: FoundRecord | undefined): void {
    this.#search.examined(flight, tier, bytes, found);
  }

  /** No tier has the value. If another process loads it, nobody waits for a flight in the background. */
  #missed(flight: Flight): void {
    const isUnread = flight.revalidates !== undefined || isAhead(flight);
    if (isUnread && flight.rights?.isHeldElsewhere === true) flight.drop();
    else this.#loads.gather(flight);
  }

  /** Drops the flight's findings, because a newer operation came while it read. */
  #readAgain(flight: Flight): void {
    this.#parts.rejoining.renew(flight);
    flight.rights?.giveBack();
    if (this.#foundLocally(flight)) return;
    if (flight.reads < mostReads) {
      this.#unsaved.begin(flight);
      return;
    }
    flight.mustReadAgain = false;
    flight.skippedTier = flight.runtime.remoteTiers.length > 0;
    this.#unsaved.takeLeases(flight);
  }

  /** Fills the tiers to the left of the tier that has the value, for the remaining time. */
  #found(flight: Flight, tier: number, cached: LocalRecord): void {
    const { runtime, key } = flight;
    if (runtime.meta.errors !== undefined && Failure.is(cached.value)) {
      this.#failedLoads.found(flight, tier, cached, cached.value);
      return;
    }
    const storage = runtime.tiers[tier]?.name ?? "";
    const isStale = runtime.staleness !== undefined && !isFresh(cached, this.#parts.clock.now());
    flight.state = "filling";
    flight.found = cached.generations;
    this.#parts.landing.dismiss(flight, cached, storage, isStale);
    this.#parts.store.backFill(flight, cached, tier, isStale);
    if (this.#parts.events.listeners.hit !== null && flight.readers > 0) {
      const hit = { node: runtime.name, key, storage, readers: flight.readers };
      this.#parts.events.emit("hit", isStale ? { ...hit, isStale } : hit);
    }
    const answered = this.#parts.landing.land(flight, cached.value, cached.writtenAt);
    runtime.stats.hits[tier] = (runtime.stats.hits[tier] ?? 0) + answered;
    if (isStale) runtime.stats.stale += answered;
    if (runtime.idle !== undefined)
      useRemotely(runtime, key, tier, cached.freshUntil, this.#parts.clock.now());
    if (runtime.staleness !== undefined) this.#parts.revalidations.found(flight, tier, cached, isStale);
  }

  /**
   * Returns whether a local tier has the value now. A `set`, a refresh or a synchronous read may
   * have filled it since the flight looked there.
   */
  #foundLocally(flight: Flight): boolean {
    const { runtime, key } = flight;
    for (const tier of runtime.localTiers) {
      const entry = tier.storage.read(runtime.space, key);
      if (entry === undefined || !isValid(entry, this.#parts.clock.now())) continue;
      if (!endsAfter(entry, flight.dueUntil)) continue;
      this.#found(flight, tier.index, entry);
      return true;
    }
    return runtime.meta.errors !== undefined && this.#failedLoads.foundLocally(flight);
  }

  /**
   * State "gathered": returns whether the flight is to load now. Otherwise it has been answered,
   * follows another one, or waits.
   */
  #mayLoad(flight: Flight): boolean {
    const { flights } = flight.activity;
    this.#parts.rejoining.renew(flight);
    if (flight.isAbandoned) {
      flight.drop();
      return false;
    }
    if ((flight.mustReadAgain && flight.reads < mostReads) || this.#unsaved.isOutdated(flight)) {
      // Something has overtaken it, and has perhaps removed its leases.
      flight.rights?.giveBack();
      if (flight.refreshes) this.#unsaved.takeLeases(flight);
      else this.#readAgain(flight);
      return false;
    }
    if (!flight.refreshes) {
      if (this.#foundLocally(flight)) return false;
      const leader = flights.leaderOf(flight);
      if (leader !== undefined && !waitsFor(leader, flight)) {
        this.#follow(flight, leader);
        return false;
      }
    }
    if (!flights.mayLoad && (flight.revalidates !== undefined || isAhead(flight))) {
      flight.drop(); // Other loads replace the stale entry.
      return false;
    }
    if (!flights.mayLoad) {
      flight.state = "waiting";
      flight.rights?.giveBack();
      if (flight.nested) this.#loads.promote(flight);
      return false;
    }
    flights.beginsLoad(flight);
    this.#parts.leasing.begun(flight);
    if (this.#parts.events.listeners.miss !== null && flight.revalidates === undefined && !isAhead(flight)) {
      const { runtime, key, readers } = flight;
      this.#parts.events.emit("miss", { node: runtime.name, key, readers });
    }
    return true;
  }

  /**
   * State "following": lets another flight of the key, which loads or is about to, answer this
   * one's readers, too.
   */
  #follow(flight: Flight, leader: Flight): void {
    flight.state = "following";
    flight.rights?.giveBack();
    flight.mustReadAgain = false;
    flight.follows = leader;
    leader.followers ??= [];
    leader.followers.push(flight);
    leader.stay();
    if (flight.nested) this.#loads.promote(leader);
  }

  /**
   * State "filling": takes the loaded value, which overtakes operations that were born before its
   * load began.
   */
  #loaded(flight: Flight, answer: unknown): void {
    const { activity, runtime } = flight;
    let value = answer;
    try {
      if (ConditionalLoad.is(answer)) value = renewedValue(runtime, flight.key, flight, answer, runtime.tags);
      this.#parts.values.loaded(runtime, flight.key, value);
      flight.load?.recording?.tellTo(flight, runtime, flight.key);
    } catch (error) {
      this.#failed(flight, error);
      return;
    }
    this.#endLoad(flight);
    runtime.staleness?.backOffs.succeeded(flight.key);
    const writtenAt = this.#parts.clock.now();
    flight.state = "filling";
    if (!flight.fenced) {
      activity.operations.overtake(flight);
      this.#parts.landing.adopt(flight);
    }
    const { tagged } = flight;
    if (tagged === undefined) this.#parts.store.storeLoaded(flight, value, writtenAt, this.#answerLoaded);
    else this.#captureAndStore(flight, tagged, value, writtenAt);
  }

  /** Captures the generations of the tags that only the value has told. Then stores the value. */
  #captureAndStore(flight: Flight, tagged: OperationTags, value: unknown, writtenAt: number): void {
    const { kind } = flight.runtime;
    if (kind.tellsTags) this.#parts.remoteTiers.expected.note(flight.storageKey, tagged.told);
    captureTold({ flight, tagged, tiers: flight.runtime.remoteTiers }, () =>
      this.#parts.store.storeLoaded(flight, value, writtenAt, this.#answerLoaded),
    );
  }

  readonly #answerLoaded = (flight: Flight, value: unknown, writtenAt: number): void => {
    const { activity, runtime } = flight;
    // Fences again, because a tier that was read meanwhile may have answered with the replaced
    // value.
    if (!flight.fenced) activity.operations.overtake(flight);
    // The entries of other processes are older than the value that the caller has asked for.
    if (flight.refreshes) runtime.kind.announce(flight.key);
    const answered = this.#parts.landing.land(flight, value, writtenAt);
    runtime.stats.misses += answered;
    this.#prefetch(flight, value);
  };

  /** Loads the neighbours of a missed node. A refresh is no miss, and a warm-up has its own nodes. */
  #prefetch(flight: Flight, value: unknown): void {
    const { prefetches } = this.#parts;
    if (!prefetches.concern(flight.node)) return;
    if (flight.prefetches !== undefined) flight.prefetches.loaded(flight, value);
    else if (!flight.refreshes && flight.revalidates === undefined && !flight.isBulk)
      prefetches.missed(flight, value, flight.call);
  }

  #failed(flight: Flight, error: unknown): void {
    this.#endLoad(flight);
    if (flight.prefetches !== undefined && flight.hasLateReaders) {
      // They have joined a load that no reader began, so its error is not theirs: they read again.
      flight.close();
      this.#parts.landing.divert(flight);
    }
    this.#failedLoads.failed(flight, error);
  }

  /**
   * Restarts the flights that wait until another load of the key may begin. They start from the
   * beginning, because much may have changed.
   */
  #endLoad(flight: Flight): void {
    const { flights } = flight.activity;
    flights.endsLoad(flight);
    this.#parts.leasing.ended(flight);
    for (const waiting of flights.waiting()) {
      if (waiting.refreshes) this.#unsaved.takeLeases(waiting);
      else this.#readAgain(waiting);
    }
  }
}
