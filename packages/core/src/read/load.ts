import type { CancelTimer, Clock, TimerOptions } from "../clock.js";
import { LoadError } from "../errors.js";
import type { Events } from "../events.js";
import { nodeLabel } from "../node/key.js";
import type { LoadSpace } from "../node/reads.js";
import { isThenable } from "../node/thenable.js";
import type { MaybePromise } from "../node/value-of.js";
import { type CallContext, neutralContext } from "../runtime/call-context.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { Flight } from "../runtime/flight.js";
import type { RunningLoad } from "../runtime/running-load.js";
import type { TagTable } from "../tags/tag-table.js";
import { type Outcome, outcomesOf } from "./bulk-outcomes.js";
import { BulkContext, FlightContext } from "./load-context.js";
import { enterLoad, leaveLoad } from "./load-frame.js";
import { Recording } from "./recording.js";
import type { SingleLoad } from "./single-load.js";

/** The options of the deadline while readers wait. */
const keepsAlive: TimerOptions = { keepsAlive: true };

/** The callbacks for a load's flights. */
interface LoadOutcome {
  loaded(flight: Flight, value: unknown): void;
  failed(flight: Flight, error: unknown): void;
  /** Called if every reader has left before the load began. */
  dropped(flight: Flight): void;
  /** Called when the load begins. */
  begins(flight: Flight): void;
}

/** The environment that the read path gives to a load. */
export interface LoadEnvironment extends LoadOutcome {
  readonly clock: Clock;
  readonly events: Events;
  readonly space: LoadSpace;
  /** The tags of the space. */
  readonly tags: TagTable;
}

/**
 * One call of a node's `load`, a class's `loadAll`, or a reader's override, with the flights that
 * it answers.
 */
export class Load implements RunningLoad {
  readonly runtime: ClassRuntime;
  readonly flights: readonly Flight[];
  /** Whether another load waits for one of the flights. */
  readonly nested: boolean;
  readonly environment: LoadEnvironment;
  /** Answers the only flight; `undefined` if the class's `loadAll` answers all of them. */
  readonly #single: SingleLoad | undefined;
  #waitsFor: Map<Flight, number> | undefined;
  #sweepAt = 64;
  #controller: AbortController | undefined;
  #abortReason: Error | undefined;
  #cancelDeadline: CancelTimer | undefined;
  #release: (() => void) | undefined;
  #leaveLine: (() => void) | undefined;
  #began = 0;
  ended = false;
  /** The nodes that it reads, for a class with the option `track`. */
  readonly recording: Recording | undefined;

  constructor(
    runtime: ClassRuntime,
    flights: readonly Flight[],
    single: SingleLoad | undefined,
    environment: LoadEnvironment,
  ) {
    this.runtime = runtime;
    this.flights = flights;
    this.#single = single;
    this.environment = environment;
    if (runtime.meta.track) this.recording = new Recording(environment.tags);
    let nested = false;
    for (const flight of flights) {
      flight.load = this;
      if (flight.nested) nested = true;
    }
    this.nested = nested;
  }

  /** The flights that the load's function waits for, each with its number of reads. */
  get waitsFor(): Map<Flight, number> {
    this.#waitsFor ??= new Map();
    // A load that reads very many nodes must not keep all of their values. Sweeping at doubled
    // sizes costs next to nothing.
    if (this.#waitsFor.size >= this.#sweepAt) {
      for (const flight of this.#waitsFor.keys()) if (flight.settled) this.#waitsFor.delete(flight);
      this.#sweepAt = Math.max(64, this.#waitsFor.size * 2);
    }
    return this.#waitsFor;
  }

  /** The space in which the load runs. */
  get space(): LoadSpace {
    return this.environment.space;
  }

  /**
   * The signal, made at its first use, perhaps after the load was aborted. Most loads never use it.
   */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    return this.#controller.signal;
  }

  /**
   * Puts the load in line for a slot.
   *
   * @param leave takes the load out of the line when no reader waits for it any more
   */
  standInLine(leave: () => void): void {
    this.#leaveLine = leave;
  }

  /** @param release called when the load has ended, to free its slot */
  start(release?: () => void): void {
    this.#release = release;
    this.#leaveLine = undefined;
    const { clock } = this.environment;
    const { loadTimeout } = this.runtime.meta;
    this.#began = clock.elapsed();
    if (loadTimeout !== undefined) this.#setDeadline(loadTimeout, keepsAlive);
    for (const flight of this.flights) {
      this.environment.begins(flight);
      flight.begin();
    }
    try {
      const answer = this.#context.runInAsyncScope(Load.#run, undefined, this);
      if (isThenable(answer)) {
        // A thenable that is not a promise may resolve with another one; a promise is taken as it
        // is.
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

  /**
   * The async context of the call, if all flights come from one call. Otherwise no flight has the
   * right one.
   */
  get #context(): CallContext {
    const call = this.flights[0]?.call ?? neutralContext;
    return this.flights.length === 1 || this.flights.every((flight) => flight.call === call)
      ? call
      : neutralContext;
  }

  /**
   * Records that a flight's readers have all left. If the readers of all flights have left, a
   * waiting load does not start. If the load uses its signal, the signal aborts, and no new reader
   * joins. Otherwise the load continues, and readers may join it.
   */
  abandoned(): void {
    if (this.ended || !this.flights.every((flight) => flight.isAbandoned)) return;
    if (this.#leaveLine !== undefined) {
      this.#leaveLine();
      this.ended = true;
      for (const flight of this.flights) this.environment.dropped(flight);
      return;
    }
    if (this.#controller !== undefined) for (const flight of this.flights) flight.closeForAll();
    this.#abort(new DOMException("Nobody waits for this load any more.", "AbortError"));
    const left = this.runtime.meta.loadTimeout;
    if (left === undefined) return;
    // Without readers, the deadline keeps no program alive.
    this.#cancelDeadline?.();
    const elapsed = this.environment.clock.elapsed() - this.#began;
    this.#setDeadline(Math.max(0, left - elapsed), undefined);
  }

  #abort(reason: Error): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(reason);
  }

  #setDeadline(milliseconds: number, options: TimerOptions | undefined): void {
    this.#cancelDeadline = this.environment.clock.schedule(() => this.#timedOut(), milliseconds, options);
  }

  /** Calls the function as the load's own, so that it knows the reads that the function makes. */
  static readonly #run = (load: Load): MaybePromise<unknown> => enterLoad(load, Load.#call);

  static readonly #call = (load: Load): MaybePromise<unknown> => load.#callInScope();

  /** Calls in the scope of the nodes, if they have one. All of them have the same. */
  #callInScope(): MaybePromise<unknown> {
    const { scope } = this.runtime;
    const first = this.flights[0];
    if (scope === undefined || first === undefined) return this.#callOnce();
    return scope.scopes.runAsKey(first.key, () => this.#callOnce());
  }

  #callOnce(): MaybePromise<unknown> {
    const first = this.flights[0];
    if (this.#single !== undefined && first !== undefined) {
      const context = new FlightContext(this, first);
      return first.override === undefined ? this.#single.call(first.node, context) : this.#single(context);
    }
    return this.runtime.loadAll?.(
      this.flights.map((flight) => flight.node),
      new BulkContext(this),
    );
  }

  #succeeded(answer: unknown): void {
    if (this.ended) return;
    if (this.#single !== undefined) {
      this.#succeededAlone(answer);
      return;
    }
    let outcomes: readonly Outcome[];
    try {
      outcomes = outcomesOf(this.runtime.name, this.flights, answer);
    } catch (error) {
      this.#failed(error);
      return;
    }
    const failures = outcomes.filter(({ error }) => error !== undefined).length;
    const duration = this.#end(outcomes.length - failures, failures);
    const { events, loaded, failed } = this.environment;
    const { name } = this.runtime;
    if (events.listeners.load !== null && failures < outcomes.length) {
      const keys = this.flights
        .filter((_, index) => outcomes[index]?.error === undefined)
        .map((flight) => flight.key);
      events.emit("load", { node: name, keys, duration });
    }
    for (const [index, flight] of this.flights.entries()) {
      const { value, error } = outcomes[index] ?? {};
      if (error === undefined) {
        loaded(flight, value);
      } else {
        if (events.listeners.loadError !== null) {
          events.emit("loadError", { node: name, keys: [flight.key], duration, error });
        }
        failed(flight, error);
      }
    }
  }

  /** An Error that a single load returns is a value like others. */
  #succeededAlone(value: unknown): void {
    const flight = this.flights[0];
    const duration = this.#end(1, 0);
    const { events, loaded } = this.environment;
    if (flight === undefined) return;
    if (events.listeners.load !== null) {
      events.emit("load", { node: this.runtime.name, keys: [flight.key], duration });
    }
    loaded(flight, value);
  }

  #failed(error: unknown): void {
    if (this.ended) return;
    const duration = this.#end(0, this.flights.length);
    const { events, failed } = this.environment;
    if (events.listeners.loadError !== null) {
      const keys = this.flights.map((flight) => flight.key);
      events.emit("loadError", { node: this.runtime.name, keys, duration, error });
    }
    for (const flight of this.flights) failed(flight, error);
  }

  #end(successes: number, failures: number): number {
    this.ended = true;
    this.#waitsFor = undefined;
    this.#cancelDeadline?.();
    leaveLoad(this.recording !== undefined);
    this.#release?.();
    const duration = this.environment.clock.elapsed() - this.#began;
    this.runtime.stats.recordLoad(duration, successes, failures);
    return duration;
  }

  #timedOut(): void {
    const [first] = this.flights;
    const error = new LoadError(
      "CACHEME_LOAD_TIMEOUT",
      `The load of ${nodeLabel(this.runtime.name, first?.key ?? "")}${this.#others} took longer than its loadTimeout of ` +
        `${this.runtime.meta.loadTimeout} ms. Make the source faster, or allow more in the node's meta.`,
      { node: this.runtime.name, key: first?.key },
    );
    this.#failed(error);
    this.#abort(error);
  }

  get #others(): string {
    return this.flights.length === 1 ? "" : ` and ${this.flights.length - 1} others`;
  }
}
