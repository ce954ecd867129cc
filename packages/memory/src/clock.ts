/** Stops a timer that {@link Clock.schedule} started; stopping twice does nothing. */
export type CancelTimer = () => void;

/**
 * The only source of time in a cache, so that a test can hold it still or move it on.
 *
 * @example
 * ```ts
 * let time = 0;
 * const clock: Clock = { now: () => time, schedule: () => () => {} };
 * const cache = new BoundedCache<string, number>({ maxSize: 10, ttl: 1_000, clock });
 * ```
 */
export interface Clock {
  /** Milliseconds since any moment; the same moment for all `now` that are given to one cache. */
  now(): number;
  /** Calls `task` once after `ms` milliseconds. Must not keep the process alive. */
  schedule(task: () => void, ms: number): CancelTimer;
}

/** The longest delay that `setTimeout` takes; a longer one would fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/**
 * Timers as they were when this module was evaluated, so that fake timers of a test do not stop the removal of what has expired;
 * Node's own ones if this is Node, since fakes may have been installed before.
 */
const { setTimeout, clearTimeout } = globalThis.process?.getBuiltinModule?.("node:timers") ?? globalThis;

/** The machine's clock and timers; the timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(task, ms) {
    const timer = setTimeout(task, Math.min(ms, LONGEST_DELAY));
    // A number outside Node.js, where no timer holds anything up.
    timer.unref?.();
    return () => clearTimeout(timer);
  },
};
