import type { CancelTimer, Clock, TimerOptions } from "../clock.js";

/** The options of a timer while readers wait. */
export const keepsAlive: TimerOptions = { keepsAlive: true };

/** A timer of a load. It keeps the program alive only while a reader waits for the load. */
export class LoadTimer {
  readonly #clock: Clock;
  readonly #task: () => void;
  /** The time when it fires, as {@link Clock.elapsed} measures. */
  readonly #due: number;
  #cancel: CancelTimer | undefined;

  constructor(clock: Clock, task: () => void, milliseconds: number, keeps: boolean) {
    this.#clock = clock;
    this.#due = clock.elapsed() + milliseconds;
    this.#task = () => {
      this.#cancel = undefined;
      task();
    };
    this.#schedule(milliseconds, keeps);
  }

  /** Changes whether it keeps the program alive. It still fires at the same time, and once. */
  keepAlive(keeps: boolean): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#schedule(Math.max(0, this.#due - this.#clock.elapsed()), keeps);
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(milliseconds: number, keeps: boolean): void {
    this.#cancel = this.#clock.schedule(this.#task, milliseconds, keeps ? keepsAlive : undefined);
  }
}
