import { performance } from "node:perf_hooks";
import * as timers from "node:timers";

/*
 * Node's own timers, taken when this module is evaluated. Fake timers of Jest, Vitest and Sinon
 * replace the global ones. Waiting for a server or for the end of a tick would then wait until a
 * test advances the time. `Date.now` is not here: the caller uses the global one, so a faked date
 * changes ttls.
 *
 * Fakes may be installed before this module is evaluated. `node:timers` still has the real ones
 * then.
 */

/** Node's own `setTimeout`, also under fake timers. For authors of storages. */
export const setTimeout: typeof timers.setTimeout = timers.setTimeout;
/** Node's own `clearTimeout`. For authors of storages. */
export const clearTimeout: typeof timers.clearTimeout = timers.clearTimeout;
/** Node's own `setInterval`. For authors of storages. */
export const setInterval: typeof timers.setInterval = timers.setInterval;
/** Node's own `clearInterval`. For authors of storages. */
export const clearInterval: typeof timers.clearInterval = timers.clearInterval;
/** Node's own `setImmediate`. For authors of storages. */
export const setImmediate: typeof timers.setImmediate = timers.setImmediate;

/**
 * Returns milliseconds, with fractions, since some moment in the past: `performance.now()`, never
 * faked. For authors of storages.
 */
export const elapsed: () => number = trueNow().bind(performance);

/**
 * Calls the task when the promise jobs are done: `process.nextTick`, never faked. For authors of
 * storages.
 */
export const nextTick: <Arguments extends unknown[]>(
  task: (...given: Arguments) => void,
  ...given: Arguments
) => void = trueNextTick();

/**
 * Calls the task after the promise jobs that wait now: `queueMicrotask`, never faked. For authors
 * of storages.
 */
export function queueMicrotask(task: () => void): void {
  void settled.then(task);
}

const settled = Promise.resolve();

/**
 * Returns Node's own `nextTick`. Jest gives programs a copy of `process` and fakes the copy, so
 * this reads Node's own object. A `clock` property reveals a fake that was installed there. An
 * immediate then replaces it, which gathers as much and costs a lone read a few microseconds.
 */
function trueNextTick(): typeof process.nextTick {
  const { nextTick } = process.getBuiltinModule("node:process");
  return "clock" in nextTick ? timers.setImmediate : nextTick;
}

/** Returns the real `now`. A fake on the object hides the method of the class. */
function trueNow(): () => number {
  const { now } = Object.getPrototypeOf(performance) as { readonly now?: () => number };
  return now ?? performance.now;
}
