import { isAhead } from "../runtime/awaited.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { Flight } from "../runtime/flight.js";
import type { NodeKind } from "../runtime/node-kind.js";
import { pathOf } from "../tags/scopes.js";
import type { Tick } from "../tiers/tick.js";
import { ConcurrencyLimit } from "./concurrency-limit.js";
import { Load } from "./load.js";
import type { LoadEnvironment } from "./load-environment.js";
import { type SingleLoad, singleLoadOf } from "./single-load.js";

/**
 * Gathers the flights that reach their load in one tick, by class. Misses of one class are loaded
 * together.
 */
export class LoadBatch {
  readonly #tick: Tick;
  readonly #environment: LoadEnvironment;
  readonly #mayLoad: (flight: Flight) => boolean;
  readonly #gathered = new Map<ClassRuntime, Flight[]>();
  readonly #limits = new WeakMap<NodeKind, ConcurrencyLimit>();

  /** @param mayLoad decides for each flight at the end of the tick */
  constructor(tick: Tick, environment: LoadEnvironment, mayLoad: (flight: Flight) => boolean) {
    this.#tick = tick;
    this.#environment = environment;
    this.#mayLoad = mayLoad;
  }

  gather(flight: Flight): void {
    flight.state = "gathered";
    const { runtime } = flight;
    const gathered = this.#gathered.get(runtime);
    if (gathered !== undefined) {
      gathered.push(flight);
      return;
    }
    this.#gathered.set(runtime, [flight]);
    this.#tick.add(() => this.#start(runtime));
  }

  /** Starts the flight's load outside of the line, because a load waits for the flight. */
  promote(flight: Flight): void {
    flight.nested = true;
    if (flight.follows !== undefined && !flight.hasBegun) this.promote(flight.follows);
    else if (flight.state === "waiting")
      for (const loading of flight.activity.flights.loading) this.promote(loading);
    else if (flight.load instanceof Load) this.#limits.get(flight.load.runtime.kind)?.promote(flight.load);
  }

  #start(runtime: ClassRuntime): void {
    const gathered = this.#gathered.get(runtime) ?? [];
    this.#gathered.delete(runtime);
    const together: Flight[] = [];
    // Apart, because a node that nobody has asked for may fail a whole `loadAll`.
    let ahead: Flight[] | undefined;
    for (const flight of gathered) {
      if (!this.#mayLoad(flight)) continue;
      if (flight.override !== undefined || runtime.loadAll === undefined) this.#load([flight]);
      else if (isAhead(flight)) {
        ahead ??= [];
        ahead.push(flight);
      } else together.push(flight);
    }
    this.#loadAll(runtime, together);
    if (ahead !== undefined) this.#loadAll(runtime, ahead);
  }

  #loadAll(runtime: ClassRuntime, together: readonly Flight[]): void {
    // Loads of several scopes could not tell their nodes apart.
    const groups = runtime.scope === undefined ? [together] : byScope(together);
    for (const flights of groups) {
      const size = Math.min(runtime.meta.maxBatchSize, flights.length);
      for (let from = 0; from < flights.length; from += size) this.#load(flights.slice(from, from + size));
    }
  }

  #load(flights: readonly Flight[]): void {
    const first = flights[0];
    if (first === undefined) return;
    const { runtime } = first;
    let single: SingleLoad | undefined;
    try {
      if (flights.length === 1) single = singleLoadOf(first);
    } catch (error) {
      for (const flight of flights) this.#environment.failed(flight, error);
      return;
    }
    const load = new Load(runtime, flights, single, this.#environment);
    if (runtime.meta.concurrency === Number.POSITIVE_INFINITY) {
      load.start();
      return;
    }
    const limit = this.#limits.get(runtime.kind) ?? new ConcurrencyLimit(runtime.meta.concurrency);
    this.#limits.set(runtime.kind, limit);
    limit.start(load);
  }
}

/** Groups flights by the scopes of their keys. */
function byScope(flights: readonly Flight[]): (readonly Flight[])[] {
  const groups = new Map<string, Flight[]>();
  for (const flight of flights) {
    const path = pathOf(flight.key);
    const group = groups.get(path);
    if (group === undefined) groups.set(path, [flight]);
    else group.push(flight);
  }
  return [...groups.values()];
}
