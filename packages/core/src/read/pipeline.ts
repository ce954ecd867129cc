import type { Clock } from "../clock.js";
import type { Cached } from "../entry/entry.js";
import { isFresh } from "../entry/lifetime.js";
import type { Events } from "../events.js";
import type { LoadSpace } from "../node/reads.js";
import type { Flight, FlightSteps } from "../runtime/flight.js";
import type { RemoteTier } from "../runtime/node-kind.js";
import type { Tick } from "../tiers/tick.js";
import type { Store } from "../write/store.js";
import { Landing, type Rejoining } from "./landing.js";
import { Leasing } from "./leasing.js";
import { LoadBatch } from "./load-batch.js";
import type { ReaderValues } from "./reader-values.js";
import type { RemoteTiers } from "./remote-tiers.js";
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
export class Pipeline implements FlightSteps {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #store: Store;
  readonly #tick: Tick;
  readonly #loads: LoadBatch;
  readonly #landing: Landing;
  readonly #rejoining: Rejoining;
  readonly #remoteTiers: RemoteTiers;
  readonly #leasing: Leasing;
  readonly #values: ReaderValues;

  constructor(
    clock: Clock,
    events: Events,
    tick: Tick,
    store: Store,
    space: LoadSpace,
    remoteTiers: RemoteTiers,
    values: ReaderValues,
    rejoining: Rejoining,
  ) {
    this.#values = values;
    this.#clock = clock;
    this.#events = events;
    this.#tick = tick;
    this.#store = store;
    this.#remoteTiers = remoteTiers;
    this.#leasing = new Leasing(clock, remoteTiers);
    this.#rejoining = rejoining;
    this.#landing = new Landing(clock, rejoining, (flight) => this.#readAgain(flight));
    const environment = {
      clock,
      events,
      space,
      loaded: (flight: Flight, value: unknown) => this.#loaded(flight, value),
      failed: (flight: Flight, error: unknown) => this.#failed(flight, error),
      dropped: (flight: Flight) => {
        this.#endLoad(flight);
        flight.drop();
      },
      begins: (flight: Flight) => rejoining.renew(flight),
    };
    this.#loads = new LoadBatch(tick, environment, (flight) => this.#mayLoad(flight));
  }

  /** Starts a new flight. A refreshing one reads no tier. */
  enter(flight: Flight): void {
    if (flight.refreshes) this.#takeLeases(flight);
    else this.#readTiers(flight);
  }

  /** Gives the leases of all running loads back, so that no other process waits for them. */
  close(): void {
    this.#leasing.close();
  }

  /** Starts the flight's load outside of a line, because a load waits for the flight. */
  promote(flight: Flight): void {
    this.#loads.promote(flight);
  }

  /** Diverts readers at the end of the tick, because the newer value is still being stored. */
  overtaken(flight: Flight): void {
    if (flight.wake !== undefined) this.#tick.add(() => flight.wake?.());
    if (flight.state === "following" || flight.hasLateReaders)
      this.#tick.add(() => this.#landing.divert(flight));
  }

  /** State "reading": handles the answer of a remote tier. */
  arrived(flight: Flight, bytes: Uint8Array | undefined): void {
    const tier = flight.runtime.tiers[flight.tier];
    if (flight.mustReadAgain) {
      this.#readAgain(flight);
      return;
    }
    if (tier?.kind !== "remote") {
      this.#readNextTier(flight);
      return;
    }
    if (bytes === undefined) {
      this.#missed(flight, tier, undefined);
      return;
    }
    const cached = this.#remoteTiers.entryIn(flight.runtime, tier, flight.storageKey, bytes);
    if (cached === undefined) this.#missed(flight, tier, bytes);
    else this.#found(flight, tier.index, cached);
  }

  /**
   * State "acquiring": acquires the lease of a tier without a usable value, before it reads the
   * tier on its right.
   *
   * @param seen the bytes that cannot be used
   */
  #missed(flight: Flight, tier: RemoteTier, seen: Uint8Array | undefined, distrusts: boolean = false): void {
    if (!this.#leasing.needs(flight, tier)) {
      this.#readNextTier(flight);
      return;
    }
    const done = (found: Cached | undefined) => {
      if (flight.mustReadAgain) this.#readAgain(flight);
      else if (found === undefined) this.#readNextTier(flight);
      else this.#found(flight, tier.index, found);
    };
    this.#leasing.acquire({ flight, tier, seen, distrusts, done });
  }

  /** State "acquiring": takes the leases of all tiers. */
  #takeLeases(flight: Flight): void {
    this.#leasing.takeAll(flight, () => this.#loads.gather(flight));
  }

  /** State "reading": reads from the first remote tier on. */
  #readTiers(flight: Flight): void {
    flight.state = "reading";
    flight.tier = -1;
    flight.mustReadAgain = false;
    flight.skippedTier = false;
    flight.mutations = flight.activity.mutations;
    flight.reads += 1;
    this.#rejoining.renew(flight);
    this.#readNextTier(flight);
  }

  /** Drops the flight's findings, because a newer operation came while it read. */
  #readAgain(flight: Flight): void {
    this.#rejoining.renew(flight);
    flight.rights?.giveBack();
    if (this.#foundLocally(flight)) return;
    if (flight.reads < mostReads) {
      this.#readTiers(flight);
      return;
    }
    flight.mustReadAgain = false;
    flight.skippedTier = flight.runtime.remoteTiers.length > 0;
    this.#takeLeases(flight);
  }

  #readNextTier(flight: Flight): void {
    const { activity } = flight;
    for (const tier of flight.runtime.remoteTiers) {
      if (tier.index <= flight.tier) continue;
      if (!activity.distrusts(tier)) {
        flight.tier = tier.index;
        tier.storage.read(flight);
        return;
      }
      flight.skippedTier = true;
      if (!this.#leasing.needs(flight, tier)) continue;
      flight.tier = tier.index;
      this.#missed(flight, tier, undefined, true);
      return;
    }
    this.#loads.gather(flight);
  }

  /** Fills the tiers to the left of the tier that has the value, for the remaining time. */
  #found(flight: Flight, tier: number, cached: Cached): void {
    const { runtime, key } = flight;
    flight.state = "filling";
    this.#landing.dismiss(flight, cached, runtime.tiers[tier]?.name ?? "");
    this.#store.backFill(flight, cached, tier);
    if (this.#events.listeners.hit !== null && flight.readers > 0) {
      const storage = runtime.tiers[tier]?.name ?? "";
      this.#events.emit("hit", { node: runtime.name, key, storage, readers: flight.readers });
    }
    const answered = this.#landing.land(flight, cached.value, cached.writtenAt);
    runtime.stats.hits[tier] = (runtime.stats.hits[tier] ?? 0) + answered;
  }

  /**
   * Returns whether a local tier has the value now. A `set`, a refresh or a synchronous read may
   * have filled it since the flight looked there.
   */
  #foundLocally(flight: Flight): boolean {
    const { runtime, key } = flight;
    for (const tier of runtime.localTiers) {
      const entry = tier.storage.read(runtime.space, key);
      if (entry === undefined || !isFresh(entry, this.#clock.now())) continue;
      this.#found(flight, tier.index, entry);
      return true;
    }
    return false;
  }

  /**
   * State "gathered": returns whether the flight is to load now. Otherwise it has been answered,
   * follows another one, or waits.
   */
  #mayLoad(flight: Flight): boolean {
    const { flights } = flight.activity;
    this.#rejoining.renew(flight);
    if (flight.isAbandoned) {
      flight.drop();
      return false;
    }
    if (flight.mustReadAgain && flight.reads < mostReads) {
      // Something has overtaken it, and has perhaps removed its leases.
      flight.rights?.giveBack();
      if (flight.refreshes) this.#takeLeases(flight);
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
    if (!flights.mayLoad) {
      flight.state = "waiting";
      flight.rights?.giveBack();
      if (flight.nested) this.#loads.promote(flight);
      return false;
    }
    flights.beginsLoad(flight);
    this.#leasing.begun(flight);
    if (this.#events.listeners.miss !== null) {
      const { runtime, key, readers } = flight;
      this.#events.emit("miss", { node: runtime.name, key, readers });
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
    leader.stay();
    leader.followers ??= [];
    leader.followers.push(flight);
    if (flight.nested) this.#loads.promote(leader);
  }

  /**
   * State "filling": takes the loaded value, which overtakes operations that were born before its
   * load began.
   */
  #loaded(flight: Flight, value: unknown): void {
    const { activity, runtime } = flight;
    try {
      this.#values.loaded(runtime, flight.key, value);
    } catch (error) {
      this.#failed(flight, error);
      return;
    }
    this.#endLoad(flight);
    const writtenAt = this.#clock.now();
    flight.state = "filling";
    if (!flight.fenced) {
      activity.operations.overtake(flight);
      this.#landing.adopt(flight);
    }
    this.#store.storeLoaded(flight, value, writtenAt, () => {
      // Fences again, because a tier that was read meanwhile may have answered with the replaced
      // value.
      if (!flight.fenced) activity.operations.overtake(flight);
      // The entries of other processes are older than the value that the caller has asked for.
      if (flight.refreshes) runtime.kind.announce(flight.key);
      const answered = this.#landing.land(flight, value, writtenAt);
      runtime.stats.misses += answered;
    });
  }

  #failed(flight: Flight, error: unknown): void {
    this.#endLoad(flight);
    flight.runtime.stats.misses += flight.readers;
    this.#landing.crash(flight, error);
  }

  /**
   * Restarts the flights that wait until another load of the key may begin. They start from the
   * beginning, because much may have changed.
   */
  #endLoad(flight: Flight): void {
    const { flights } = flight.activity;
    flights.endsLoad(flight);
    this.#leasing.ended(flight);
    for (const waiting of flights.waiting()) {
      if (waiting.refreshes) this.#takeLeases(waiting);
      else this.#readAgain(waiting);
    }
  }
}
