import type { CancelTimer, Clock, TimerOptions } from "../../src/clock.js";

/** A clock that shows another time of day than its base clock, as the clocks of two machines do. */
export class SkewedClock implements Clock {
  readonly #clock: Clock;
  readonly #ahead: number;

  /** @param ahead milliseconds; negative for a clock that is behind */
  constructor(clock: Clock, ahead: number) {
    this.#clock = clock;
    this.#ahead = ahead;
  }

  now(): number {
    return this.#clock.now() + this.#ahead;
  }

  elapsed(): number {
    return this.#clock.elapsed();
  }

  schedule(task: () => void, ms: number, options?: TimerOptions): CancelTimer {
    return this.#clock.schedule(task, ms, options);
  }
}
