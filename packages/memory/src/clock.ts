/** Cancels a timer that {@link Clock.schedule} started. A second call does nothing. */
export type CancelTimer = () => void;

/**
 * Only source of time of a cache. A test can stop it or advance it.
 *
 * @example
 * ```ts
 * let time = 0;
 * const clock: Clock = { now: () => time, schedule: () => () => {} };
 * const cache = new BoundedCache<string, number>({ maxSize: 10, ttl: 1_000, clock });
 * ```
 */
export interface Clock {
  /**
   * Returns the milliseconds since some moment. Every `now` that a cache gets must count from the
   * same moment.
   */
  now(): number;
  /** Calls `task` once after `ms` milliseconds. Must not keep the process alive. */
  schedule(task: () => void, ms: number): CancelTimer;
}

/** Maximum delay of `setTimeout`: a longer one would fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/**
 * Timers as they were when this module was loaded, so that a test's fake timers do not stop expiry.
 * On Node.js they come from `node:timers`, because fakes may have been installed earlier.
 */
const { setTimeout, clearTimeout } = globalThis.process?.getBuiltinModule?.("node:timers") ?? globalThis;

/** The system's clock and timers. The timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(task, ms) {
    const timer = setTimeout(task, Math.min(ms, LONGEST_DELAY));
    // Outside Node.js a timer is a number and keeps nothing alive.
    timer.unref?.();
    return () => clearTimeout(timer);
  },
};
