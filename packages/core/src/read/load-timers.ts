import type { CancelTimer, Clock } from "../clock.js";
import type { Load } from "./load.js";
import { keepsAlive, LoadTimer } from "./load-timer.js";

/**
 * The timers of one load: its two limits, and the pause before a further call. They keep the program
 * alive only while a reader waits.
 */
export class LoadTimers {
  readonly #load: Load;
  readonly #clock: Clock;
  /** The time when the load began, as {@link Clock.elapsed} measures. */
  readonly #began: number;
  #keepsAlive: boolean;
  #cancelDeadline: CancelTimer | undefined;
  #soft: LoadTimer | undefined;
  #pause: LoadTimer | undefined;

  /** @param isAwaited whether a reader waits for the load, which begins now */
  constructor(load: Load, isAwaited: boolean) {
    this.#load = load;
    this.#clock = load.environment.clock;
    this.#began = this.#clock.elapsed();
    this.#keepsAlive = isAwaited;
    this.#setDeadline();
    if (isAwaited) this.#setSoft();
  }

  get keepsAlive(): boolean {
    return this.#keepsAlive;
  }

  /** Records whether a reader waits. The soft limit counts once one has waited. */
  keepAlive(isAwaited: boolean): void {
    this.#keepsAlive = isAwaited;
    this.#cancelDeadline?.();
    this.#setDeadline();
    this.#pause?.keepAlive(isAwaited);
    this.#soft?.keepAlive(isAwaited);
    if (isAwaited) this.#setSoft();
  }

  /** Whether the load waits for a further call. */
  get isPaused(): boolean {
    return this.#pause !== undefined;
  }

  pause(milliseconds: number, call: () => void): void {
    const task = () => {
      this.#pause = undefined;
      call();
    };
    this.#pause = new LoadTimer(this.#clock, task, milliseconds, this.#keepsAlive);
  }

  end(): void {
    this.#cancelDeadline?.();
    this.#soft?.cancel();
    this.#pause?.cancel();
    this.#pause = undefined;
  }

  #setDeadline(): void {
    const { loadTimeout } = this.#load.runtime.meta;
    if (loadTimeout === undefined) return;
    const options = this.#keepsAlive ? keepsAlive : undefined;
    const task = () => this.#load.timedOut();
    this.#cancelDeadline = this.#clock.schedule(task, this.#leftOf(loadTimeout), options);
  }

  #setSoft(): void {
    const { softTimeout } = this.#load.runtime.meta;
    if (softTimeout === undefined || this.#soft !== undefined) return;
    const slow = () => this.#load.environment.slow(this.#load);
    this.#soft = new LoadTimer(this.#clock, slow, this.#leftOf(softTimeout), true);
  }

  /** Returns the part of a limit that is left, in milliseconds. */
  #leftOf(limit: number): number {
    return Math.max(0, limit - (this.#clock.elapsed() - this.#began));
  }
}
