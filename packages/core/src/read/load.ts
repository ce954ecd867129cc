import type { LoadSpace } from "../node/reads.js";
import { isThenable } from "../node/thenable.js";
import { isAwaited } from "../runtime/awaited.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { Flight } from "../runtime/flight.js";
import { closeForAll } from "../runtime/flights.js";
import { forgetDecisions } from "../runtime/replaced-entry.js";
import type { RunningLoad } from "../runtime/running-load.js";
import { type Outcome, outcomesOf } from "./bulk-outcomes.js";
import { callLoad } from "./load-call.js";
import type { LoadEnvironment } from "./load-environment.js";
import { leaveLoad } from "./load-frame.js";
import { loadTimeout, nobodyWaits, reportFailed, reportLoaded, reportRetry } from "./load-reports.js";
import { LoadTimers } from "./load-timers.js";
import { Recording } from "./recording.js";
import { Retries } from "./retries.js";
import type { SingleLoad } from "./single-load.js";

/**
 * One load: a call of a node's `load`, a class's `loadAll`, or a reader's override, with the flights
 * that it answers. A class with the option `retry` repeats a failed call.
 */
export class Load implements RunningLoad {
  readonly runtime: ClassRuntime;
  /** The flights that are not answered yet. */
  flights: readonly Flight[];
  /** Whether another load waits for one of the flights. */
  readonly nested: boolean;
  readonly environment: LoadEnvironment;
  /** Answers the only flight; `undefined` if the class's `loadAll` answers all of them. */
  readonly single: SingleLoad | undefined;
  #waitsFor: Map<Flight, number> | undefined;
  #sweepAt = 64;
  #controller: AbortController | undefined;
  #abortReason: Error | undefined;
  /** Set when it starts. */
  #timers: LoadTimers | undefined;
  #release: (() => void) | undefined;
  #leaveLine: (() => void) | undefined;
  /** The time when its present call began, as {@link Clock.elapsed} measures. */
  #called = 0;
  /** Whether its function runs. It does not while the load waits for a further call. */
  #runs = false;
  #retries: Retries | undefined;
  /** Whether it was aborted because its readers have left. No reader can join it any more. */
  #isLeft = false;
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
    this.single = single;
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
   * If no reader waits then, it aborts.
   */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (!this.ended && !this.#isLeft && this.#isAbandoned) this.#leave();
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
    this.#timers = new LoadTimers(this, this.#isAwaited);
    for (const flight of this.flights) {
      this.environment.begins(flight);
      flight.begin();
    }
    this.#attempt();
  }

  /** Whether a reader waits for it. */
  get #isAwaited(): boolean {
    return this.flights.some(isAwaited);
  }

  get #isAbandoned(): boolean {
    return this.flights.every(({ isAbandoned }) => isAbandoned);
  }

  #attempt(): void {
    this.#called = this.environment.clock.elapsed();
    this.#runs = true;
    try {
      const answer = callLoad(this);
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
   * Records that a reader has left. If the readers of all flights have left, a waiting load does not
   * start, and none is repeated. If the load uses its signal, the signal aborts, and no new reader
   * joins. Otherwise the load continues, and readers may join it.
   */
  left(): void {
    if (this.ended) return;
    if (this.#isAbandoned) {
      if (this.#leaveLine !== undefined) {
        this.#leaveLine();
        this.ended = true;
        for (const flight of this.flights) this.environment.dropped(flight);
      } else if (this.#controller !== undefined || this.#timers?.isPaused === true) this.#leave();
    }
    this.relax();
  }

  /** Keeps no program alive any more, if no reader waits. */
  relax(): void {
    if (this.#timers?.keepsAlive === true && !this.ended && !this.#isAwaited) this.#timers.keepAlive(false);
  }

  /** Keeps the program alive again, if a reader waits now. Its soft limit counts, too. */
  joined(): void {
    if (this.#timers?.keepsAlive === false && !this.ended && this.#isAwaited) this.#timers.keepAlive(true);
  }

  /** Aborts the load, because no reader waits for it. */
  #leave(): void {
    this.#isLeft = true;
    for (const flight of this.flights) closeForAll(flight);
    const reason = nobodyWaits();
    this.#abort(reason);
    if (this.#timers?.isPaused === true) this.#fail(reason);
  }

  #abort(reason: Error): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(reason);
  }

  #succeeded(answer: unknown): void {
    if (this.ended) return;
    if (this.single !== undefined) {
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
    const { flights } = this;
    const isAgain = outcomes.map(({ error }) => error !== undefined && this.#mayRepeat(error));
    const again = flights.filter((_, index) => isAgain[index]);
    const loaded = flights.filter((_, index) => outcomes[index]?.error === undefined);
    const failures = flights.length - loaded.length - again.length;
    let duration: number;
    if (again.length === 0) duration = this.#end(loaded.length, failures);
    else {
      this.flights = again;
      duration = this.#endCall(loaded.length, failures);
      // Begins the pause first, because an answered reader may leave.
      this.#repeat(outcomes[isAgain.indexOf(true)]?.error);
    }
    reportLoaded(this, loaded, duration);
    for (const [index, flight] of flights.entries()) {
      if (isAgain[index]) continue;
      const { value, error } = outcomes[index] ?? {};
      if (error === undefined) this.environment.loaded(flight, value);
      else {
        reportFailed(this, [flight], duration, error);
        this.#reject(flight, error);
      }
    }
  }

  /** An Error that a single load returns is a value like others. */
  #succeededAlone(value: unknown): void {
    const [flight] = this.flights;
    reportLoaded(this, this.flights, this.#end(1, 0));
    if (flight !== undefined) this.environment.loaded(flight, value);
  }

  #failed(error: unknown): void {
    if (this.ended) return;
    if (!this.#mayRepeat(error)) {
      this.#fail(error);
      return;
    }
    this.#endCall(0, 0);
    this.#repeat(error);
  }

  /** Returns whether to call again after this error. A load without readers is not repeated. */
  #mayRepeat(error: unknown): boolean {
    const { retry } = this.runtime.meta;
    if (retry === undefined || this.#abortReason !== undefined || this.#isAbandoned) return false;
    this.#retries ??= new Retries(retry);
    return this.#retries.allows(error);
  }

  /** Calls again after a pause, for the flights that are not answered. */
  #repeat(error: unknown): void {
    const delay = this.#retries?.take() ?? 0;
    this.#timers?.pause(delay, () => this.#attemptAgain());
    reportRetry(this, this.#retries?.attempt ?? 0, delay, error);
  }

  #attemptAgain(): void {
    for (const flight of this.flights) forgetDecisions(flight);
    this.#attempt();
  }

  #fail(error: unknown): void {
    reportFailed(this, this.flights, this.#end(0, this.flights.length), error);
    for (const flight of this.flights) this.#reject(flight, error);
  }

  /** The failure of a load that was aborted tells nothing about the source. */
  #reject(flight: Flight, error: unknown): void {
    if (this.#isLeft) this.environment.dropped(flight);
    else this.environment.failed(flight, error);
  }

  #end(successes: number, failures: number): number {
    this.ended = true;
    this.#timers?.end();
    const duration = this.#endCall(successes, failures);
    this.#release?.();
    return duration;
  }

  /** Ends the call of the function that runs, if there is one, and returns its duration. */
  #endCall(successes: number, failures: number): number {
    this.#waitsFor = undefined;
    const { stats } = this.runtime;
    if (!this.#runs) {
      stats.recordFailures(failures); // The load ends in a pause.
      return 0;
    }
    this.#runs = false;
    leaveLoad(this.recording !== undefined);
    const duration = this.environment.clock.elapsed() - this.#called;
    stats.recordLoad(duration, successes, failures);
    if (successes > 0) this.runtime.ahead?.measured(duration);
    return duration;
  }

  /** Fails, and aborts its signal. */
  timedOut(): void {
    const error = loadTimeout(this);
    const reason = this.#isAbandoned ? nobodyWaits() : error;
    this.#fail(error);
    this.#abort(reason);
  }
}
