import type { Clock } from "../clock.js";
import type { Cached, Entry } from "../entry/entry.js";
import type { Events } from "../events.js";
import type { Node } from "../node/node.js";
import type { LoadSpace } from "../node/reads.js";
import type { NodeKind, RemoteTier } from "../plan/node-kind.js";
import type { Plan } from "../plan/plan.js";
import type { RemoteRead } from "../storage/registered.js";
import type { Tick } from "../storage/tick.js";
import type { Fill, Filler } from "../write/fill.js";
import { Decoder } from "./decoder.js";
import { Flight, type FlightOptions } from "./flight.js";
import { Load, type LoadEnvironment } from "./load.js";
import { currentLoad } from "./load-frame.js";
import { ReaderValues } from "./reader-values.js";
import { peekRemotely } from "./remote-peek.js";
import { type SingleLoad, singleLoadOf } from "./single-load.js";
import { Slots } from "./slots.js";
import { refuseNestedSelf, waitFor, waitsFor } from "./wait-graph.js";

/** What a miss does: it joins or opens a flight, which reads the remote tiers in the tick's batch, loads, and fills. */
export class ReadPath {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #tick: Tick;
  readonly #filler: Filler;
  readonly #environment: LoadEnvironment;
  /** The flights that come to their load in this tick, by class. */
  readonly #loads = new Map<Plan, Flight[]>();
  readonly #slots = new Map<NodeKind, Slots>();
  readonly #values = new ReaderValues();
  readonly #decoder = new Decoder(this.#values);

  constructor(clock: Clock, events: Events, tick: Tick, filler: Filler, space: LoadSpace) {
    this.#clock = clock;
    this.#events = events;
    this.#tick = tick;
    this.#filler = filler;
    this.#environment = {
      clock,
      events,
      space,
      loaded: (flight, value) => this.#loaded(flight, value),
      failed: (flight, error) => this.#failed(flight, error),
    };
  }

  /**
   * The open flight of the key, or a new one. The local tiers have been read and do not have the value.
   *
   * @throws LoadCycleError where the caller is a load that the flight waits for
   */
  join(plan: Plan, node: Node, key: string, options: FlightOptions): Flight {
    const opener = currentLoad();
    const newest = plan.operations.newest(key);
    const flight =
      newest instanceof Flight && newest.admits(options.maxAge ?? Number.POSITIVE_INFINITY)
        ? newest
        : this.#open(plan, node, key, opener, options);
    return this.#board(flight, opener);
  }

  /**
   * A flight that passes the tiers by and loads. It joins none whose load has begun, and fences every older one. A `set` that is
   * on its way is left alone until the new value is there: the load may fail.
   *
   * @throws LoadCycleError where the caller is the load of this very key
   */
  refresh(plan: Plan, node: Node, key: string, options: FlightOptions): Flight {
    const opener = currentLoad();
    const newest = plan.operations.newest(key);
    if (newest instanceof Flight && newest.refreshes && !newest.fenced && newest.load === undefined) {
      return this.#board(newest, opener);
    }
    const flight = this.#open(plan, node, key, opener, { ...options, refreshes: true });
    for (let other = flight.older; other !== undefined; other = other.older) {
      if (other instanceof Flight) other.fenced = true;
    }
    return this.#board(flight, opener);
  }

  /** What a tier has of the node, without loading, filling or counting. */
  peek(plan: Plan, key: string): Promise<Entry | undefined> {
    return peekRemotely(plan, key, this.#clock, this.#decoder);
  }

  #open(plan: Plan, node: Node, key: string, opener: Load | undefined, options: FlightOptions): Flight {
    if (opener !== undefined && plan.operations.newest(key) !== undefined)
      refuseNestedSelf(opener, plan, key);
    const flight = new Flight(plan, node, key, opener, options);
    plan.operations.begin(key, flight);
    this.#advance(flight);
    return flight;
  }

  /** Counts a reader in, and makes the load that it belongs to wait for the flight. */
  #board(flight: Flight, waiting: Load | undefined): Flight {
    if (waiting !== undefined) {
      waitFor(waiting, flight);
      this.#promote(flight);
    }
    if (flight.readers > 0) flight.plan.stats.coalesced += 1;
    flight.readers += 1;
    flight.staying += 1;
    return flight;
  }

  /** A load waits for the flight: nothing that it needs may wait for a slot. */
  #promote(flight: Flight): void {
    flight.nested = true;
    if (flight.follows !== undefined) this.#promote(flight.follows);
    else if (flight.load !== undefined) this.#slots.get(flight.plan.kind)?.promote(flight.load);
  }

  /** Reads the flight's next remote tier, or goes on to the load. */
  #advance(flight: Flight): void {
    const { plan, key } = flight;
    if (!flight.refreshes && !plan.operations.distrusted(key)) {
      const next = plan.remoteTiers.find((tier) => tier.index > flight.tier);
      if (next !== undefined) {
        flight.tier = next.index;
        next.storage.read(this.#reading(flight, next));
        return;
      }
    }
    flight.tier = plan.tiers.length;
    const waiting = this.#loads.get(plan);
    if (waiting !== undefined) {
      waiting.push(flight);
      return;
    }
    this.#loads.set(plan, [flight]);
    this.#tick.add(() => this.#startLoads(plan));
  }

  #reading(flight: Flight, tier: RemoteTier): RemoteRead {
    return {
      storageKey: flight.storageKey,
      arrived: (bytes) => {
        const { plan, storageKey } = flight;
        const cached = this.#decoder.decode(plan, storageKey, bytes);
        if (cached !== undefined && this.#serves(cached, flight)) this.#found(flight, tier.index, cached);
        else this.#advance(flight);
      },
    };
  }

  #serves(cached: Cached, flight: Flight): boolean {
    const now = this.#clock.now();
    return cached.freshUntil > now && now - cached.writtenAt <= flight.maxAge;
  }

  /** A tier has the value: the tiers to its left get it for what is left of its time. */
  #found(flight: Flight, tier: number, cached: Cached): void {
    const { plan, key } = flight;
    const { value, writtenAt, freshUntil } = cached;
    const fill: Fill = {
      plan,
      key,
      operation: flight,
      value,
      writtenAt,
      before: tier,
      limit: freshUntil,
      explicit: false,
      overtakes: false,
    };
    this.#filler.fill(fill, () => {
      plan.stats.hits[tier] = (plan.stats.hits[tier] ?? 0) + flight.readers;
      if (this.#events.listeners.hit !== null) {
        const storage = plan.tiers[tier]?.name ?? "";
        this.#events.emit("hit", { node: plan.name, key, storage, readers: flight.readers });
      }
      flight.resolve(value);
    });
  }

  #startLoads(plan: Plan): void {
    const waiting = this.#loads.get(plan) ?? [];
    this.#loads.delete(plan);
    const alone: Flight[] = [];
    const together: Flight[] = [];
    for (const flight of waiting) {
      if (this.#answeredMeanwhile(flight) || this.#followed(flight)) continue;
      if (this.#events.listeners.miss !== null) {
        this.#events.emit("miss", { node: plan.name, key: flight.key, readers: flight.readers });
      }
      if (flight.override !== undefined || plan.loadAll === undefined) alone.push(flight);
      else together.push(flight);
    }
    for (const flight of alone) this.#start(plan, [flight]);
    const size = Math.min(plan.meta.maxBatchSize, together.length);
    for (let from = 0; from < together.length; from += size)
      this.#start(plan, together.slice(from, from + size));
  }

  /** A `set`, a refresh or a synchronous read may have filled a local tier since the flight looked there. */
  #answeredMeanwhile(flight: Flight): boolean {
    if (flight.abandoned) {
      flight.abandon();
      return true;
    }
    if (flight.refreshes) return false;
    const { plan, key } = flight;
    for (const tier of plan.localTiers) {
      const entry = tier.storage.read(plan.space, key);
      if (entry === undefined || !this.#serves(entry, flight)) continue;
      this.#found(flight, tier.index, entry);
      return true;
    }
    return false;
  }

  /**
   * Takes over the answer of another flight of the key that loads, or is about to, something at least as new: a refresh, one
   * that is at its load, or, for a fenced flight, the open one. So the same value is not loaded twice side by side.
   */
  #followed(flight: Flight): boolean {
    if (flight.refreshes) return false;
    for (let other = flight.plan.operations.newest(flight.key); other !== undefined; other = other.older) {
      if (!(other instanceof Flight) || other === flight || other.fenced || other.settled) continue;
      if (!other.refreshes && other.load === undefined && !flight.fenced) continue;
      if (waitsFor(other, flight)) continue;
      const leader = other;
      flight.follows = leader;
      if (flight.nested) this.#promote(leader);
      leader.staying += 1;
      leader.answer().then(
        (value) => {
          flight.plan.stats.misses += flight.readers;
          flight.resolve(value);
        },
        (error) => this.#failed(flight, error),
      );
      return true;
    }
    return false;
  }

  #start(plan: Plan, flights: readonly Flight[]): void {
    const [first, second] = flights;
    let single: SingleLoad | undefined;
    try {
      if (first !== undefined && second === undefined) single = singleLoadOf(first);
    } catch (error) {
      for (const flight of flights) this.#failed(flight, error);
      return;
    }
    const load = new Load(plan, flights, single, this.#environment);
    if (plan.meta.concurrency === Number.POSITIVE_INFINITY) {
      load.start();
      return;
    }
    const slots = this.#slots.get(plan.kind) ?? new Slots(plan.meta.concurrency);
    this.#slots.set(plan.kind, slots);
    slots.start(load);
  }

  #loaded(flight: Flight, value: unknown): void {
    const { plan, key } = flight;
    try {
      this.#values.loaded(plan, key, value);
    } catch (error) {
      this.#failed(flight, error);
      return;
    }
    const now = this.#clock.now();
    const answer = () => {
      plan.stats.misses += flight.readers;
      flight.resolve(value);
    };
    // A refresh replaces what is stored, and must not leave the old value there; the doorkeeper is told of the key all the same.
    const admitted = plan.doorkeeper === undefined || plan.doorkeeper.admits(key) || flight.refreshes;
    if (flight.skip || !admitted) {
      answer();
      return;
    }
    const fill: Fill = {
      plan,
      key,
      operation: flight,
      value,
      writtenAt: now,
      before: plan.tiers.length,
      limit: flight.ttl === undefined ? Number.POSITIVE_INFINITY : now + flight.ttl,
      explicit: flight.ttl !== undefined,
      overtakes: flight.refreshes || flight.maxAge !== Number.POSITIVE_INFINITY,
    };
    this.#filler.fill(fill, ({ refused }) => {
      if (refused !== undefined) this.#filler.fillLocally(fill, refused);
      answer();
    });
  }

  #failed(flight: Flight, error: unknown): void {
    flight.plan.stats.misses += flight.readers;
    flight.reject(error);
  }
}
