import { deadlines } from "./deadlines.js";
import { clearTimeout, elapsed, setTimeout } from "./timers.js";

/** Stops a timer that {@link Clock.schedule} started. Stopping it twice does nothing. */
export type CancelTimer = () => void;

/** The options of a timer. */
export interface TimerOptions {
  /** Whether the process stays alive until the timer has fired or is stopped. Default: false. */
  readonly keepsAlive?: boolean | undefined;
}

/**
 * The only source of time in Cacheme, so that a test can stop or advance it.
 *
 * @example
 * ```ts
 * const cacheme = new Cacheme({ clock: { ...systemClock, now: () => frozen } });
 * ```
 */
export interface Clock {
  /** Returns milliseconds since the Unix epoch. */
  now(): number;
  /**
   * Returns milliseconds, with fractions, since some moment in the past. It never goes back.
   * Measures how long something took.
   */
  elapsed(): number;
  /**
   * Calls `task` once after `ms` milliseconds. Must not keep the process alive, unless the options
   * say so.
   */
  schedule(task: () => void, ms: number, options?: TimerOptions): CancelTimer;
}

/** The longest delay that `setTimeout` takes; a longer one would fire at once. */
const longestDelay = 2 ** 31 - 1;

/** The machine's clock and timers; the timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed,
  schedule(task, ms, options) {
    if (options?.keepsAlive === true) return deadlines.add(task, ms);
    const timer = setTimeout(task, Math.min(ms, longestDelay));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
