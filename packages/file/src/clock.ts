import { runInNewContext } from "node:vm";

/**
 * The machine's clock, in milliseconds since the epoch: all processes that share a folder have it in
 * common. `performance.now()` stops while a machine sleeps and begins at 0 in each process. The file
 * system's own clock costs three calls.
 *
 * Reads the `Date` of a realm of its own, so that a fake `Date` of a program or a test changes nothing.
 */
export const now: () => number = (() => {
  const clock: unknown = runInNewContext("Date.now");
  if (typeof clock !== "function") throw new TypeError("Date.now is no function");
  return () => Number(clock());
})();

/** The time until which something is kept that is kept until it is removed: the greatest whole number of JavaScript. */
const never: number = Number.MAX_SAFE_INTEGER;

/** The time in so many whole milliseconds. */
export function after(milliseconds: number | undefined): number {
  return milliseconds === undefined ? never : now() + milliseconds;
}
