import { types } from "node:util";
import type { CancelTimer, Clock } from "../clock.js";
import { milliseconds } from "../duration.js";
import type { Entry } from "../entry/entry.js";
import { LoadError, typeName } from "../errors.js";
import type { Events } from "../events.js";
import { nodeLabel } from "../node/key.js";
import type { LoadAllContext, LoadContext, Node } from "../node/node.js";
import type { MaybePromise } from "../node/value-of.js";
import type { Plan } from "../plan/plan.js";
import type { Flight } from "./flight.js";
import { enterLoad, leaveLoad } from "./wait-graph.js";

/** What becomes of a load's flights. */
interface LoadOutcome {
  loaded(flight: Flight, value: unknown): void;
  failed(flight: Flight, error: unknown): void;
}

/** What a load is given by the read path that starts it. */
export interface LoadEnvironment extends LoadOutcome {
  readonly clock: Clock;
  readonly events: Events;
}

/** One call of a node's `load`, of a class's `loadAll`, or of a reader's override, with the flights that it answers. */
export class Load {
  readonly plan: Plan;
  readonly flights: readonly Flight[];
  /** Whether another load waits for one of the flights. */
  readonly nested: boolean;
  readonly #environment: LoadEnvironment;
  readonly #waitsFor = new Set<Flight>();
  #sweepAt = 64;
  #controller: AbortController | undefined;
  #cancelDeadline: CancelTimer | undefined;
  #release: (() => void) | undefined;
  #leaveLine: (() => void) | undefined;
  #began = 0;
  ended = false;

  constructor(plan: Plan, flights: readonly Flight[], environment: LoadEnvironment) {
    this.plan = plan;
    this.flights = flights;
    this.nested = flights.some((flight) => flight.nested);
    this.#environment = environment;
    for (const flight of flights) flight.load = this;
  }

  /** The flights that the load's function has read and that are under way. */
  get waitsFor(): Set<Flight> {
    // A load that reads very many nodes must not keep all of their values; sweeping at doubled sizes costs next to nothing.
    if (this.#waitsFor.size >= this.#sweepAt) {
      for (const flight of this.#waitsFor) if (flight.settled) this.#waitsFor.delete(flight);
      this.#sweepAt = Math.max(64, this.#waitsFor.size * 2);
    }
    return this.#waitsFor;
  }

  /** Made when somebody looks at it: most loads do not. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** The load waits for a slot. @param leave takes it out of the line when nobody waits for it any more */
  standInLine(leave: () => void): void {
    this.#leaveLine = leave;
  }

  /** @param release called when the load has ended, to give back its slot */
  start(release?: () => void): void {
    this.#release = release;
    this.#leaveLine = undefined;
    const { clock } = this.#environment;
    const { loadTimeout } = this.plan.meta;
    this.#began = clock.elapsed();
    if (loadTimeout !== undefined) {
      this.#cancelDeadline = clock.schedule(() => this.#timedOut(loadTimeout), loadTimeout);
    }
    const [first] = this.flights;
    if (first === undefined) return;
    try {
      const answer = first.context.runInAsyncScope(() => enterLoad(this, () => this.#call(first)));
      if (isThenable(answer)) {
        // A thenable that is no promise may resolve with another one; a promise is taken as it is.
        Promise.resolve(answer).then(
          (value) => this.#succeeded(value),
          (error) => this.#failed(error),
        );
      } else {
        this.#succeeded(answer);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A flight's readers have all left; once all flights' have, the load is told to stop, or does not start at all. */
  abandoned(): void {
    if (this.ended || !this.flights.every((flight) => flight.abandoned)) return;
    if (this.#leaveLine !== undefined) {
      this.#leaveLine();
      this.ended = true;
      for (const flight of this.flights) flight.abandon();
      return;
    }
    this.#controller ??= new AbortController();
    this.#controller.abort(new DOMException("Nobody waits for this load any more.", "AbortError"));
  }

  #call(first: Flight): MaybePromise<unknown> {
    const { plan, flights } = this;
    if (this.#single) {
      const load = first.override ?? first.node.load?.bind(first.node);
      return load?.(new FlightContext(this, first));
    }
    return plan.loadAll?.(
      flights.map((flight) => flight.node),
      new BulkContext(this),
    );
  }

  /** Whether this answers one flight by the node's own `load` or the reader's. */
  get #single(): boolean {
    const [first, second] = this.flights;
    return second === undefined && (first?.override !== undefined || first?.node.load !== undefined);
  }

  #succeeded(answer: unknown): void {
    if (this.ended) return;
    const values = this.#single ? [answer] : answer;
    if (!Array.isArray(values) || values.length !== this.flights.length) {
      this.#failed(this.#wrongShape(answer));
      return;
    }
    // Of a single load's value an Error is a value like others; in a list it stands for its node's failure.
    const isFailure = (value: unknown) =>
      !this.#single && (types.isNativeError(value) || value instanceof Error);
    const failures = values.filter(isFailure).length;
    const duration = this.#end(values.length - failures, failures);
    const { events, loaded, failed } = this.#environment;
    const { name } = this.plan;
    if (events.listeners.load !== null && failures < values.length) {
      const keys = this.flights.filter((_, index) => !isFailure(values[index])).map((flight) => flight.key);
      events.emit("load", { node: name, keys, duration });
    }
    for (const [index, flight] of this.flights.entries()) {
      const value: unknown = values[index];
      if (isFailure(value)) {
        if (events.listeners.loadError !== null) {
          events.emit("loadError", { node: name, keys: [flight.key], duration, error: value });
        }
        failed(flight, value);
      } else {
        loaded(flight, value);
      }
    }
  }

  #failed(error: unknown): void {
    if (this.ended) return;
    const duration = this.#end(0, this.flights.length);
    const { events, failed } = this.#environment;
    if (events.listeners.loadError !== null) {
      const keys = this.flights.map((flight) => flight.key);
      events.emit("loadError", { node: this.plan.name, keys, duration, error });
    }
    for (const flight of this.flights) failed(flight, error);
  }

  #end(successes: number, failures: number): number {
    this.ended = true;
    this.#waitsFor.clear();
    this.#cancelDeadline?.();
    leaveLoad();
    this.#release?.();
    const duration = this.#environment.clock.elapsed() - this.#began;
    this.plan.stats.recordLoad(duration, successes, failures);
    return duration;
  }

  #timedOut(loadTimeout: number): void {
    const [first] = this.flights;
    const error = new LoadError(
      "CACHEME_LOAD_TIMEOUT",
      `The load of ${nodeLabel(this.plan.name, first?.key ?? "")}${this.#others} took longer than its loadTimeout of ` +
        `${loadTimeout} ms. Make the source faster, or allow more in the node's meta.`,
      { node: this.plan.name, key: first?.key },
    );
    const controller = this.#controller;
    this.#failed(error);
    controller?.abort(error);
  }

  #wrongShape(answer: unknown): LoadError {
    const [first] = this.flights;
    const got = Array.isArray(answer) ? `a list of ${answer.length}` : typeName(answer);
    return new LoadError(
      "CACHEME_LOAD_SHAPE",
      `loadAll of node "${this.plan.name}" was given ${this.flights.length} nodes and answered with ${got}. It must answer ` +
        "with a list of that length, in the nodes' order: for each a value, or an Error for that node alone.",
      { node: this.plan.name, key: first?.key },
    );
  }

  get #others(): string {
    return this.flights.length === 1 ? "" : ` and ${this.flights.length - 1} others`;
  }
}

/** What one node's load may use and say. The methods are bound, so that a user may destructure the context. */
class FlightContext implements LoadContext {
  readonly #load: Load;
  readonly previous: Entry | undefined;
  readonly ttl: (duration: Parameters<LoadContext["ttl"]>[0]) => void;
  readonly skip: () => void;

  constructor(load: Load, flight: Flight) {
    this.#load = load;
    this.previous = flight.previous;
    this.ttl = (duration) => {
      flight.ttl = milliseconds(
        duration,
        `ttl given in the load of ${nodeLabel(load.plan.name, flight.key)}`,
        { node: load.plan.name, key: flight.key },
      );
    };
    this.skip = () => {
      flight.skip = true;
    };
  }

  get signal(): AbortSignal {
    return this.#load.signal;
  }
}

class BulkContext implements LoadAllContext {
  readonly #load: Load;
  #flights: ReadonlyMap<string, Flight> | undefined;
  readonly for: LoadAllContext["for"];

  constructor(load: Load) {
    this.#load = load;
    this.for = ((node: Node) => {
      // By class and key: whoever defines a node without a class is given arguments, and makes the node anew to ask.
      this.#flights ??= new Map(load.flights.map((flight) => [flight.key, flight]));
      const isOfClass = Object.getPrototypeOf(node) === load.plan.prototype;
      const flight = isOfClass ? this.#flights.get(node.key()) : undefined;
      if (flight !== undefined) return new FlightContext(load, flight);
      throw new LoadError(
        "CACHEME_LOAD_SHAPE",
        `context.for(…) in loadAll of node "${load.plan.name}" was given a node that this call does not load. ` +
          "Give one of the nodes of its first argument.",
        { node: load.plan.name },
      );
      // The context of a node is typed by that node; at run time all of them are the same.
    }) as LoadAllContext["for"];
  }

  get signal(): AbortSignal {
    return this.#load.signal;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
