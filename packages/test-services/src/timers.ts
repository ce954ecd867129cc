import type * as hooks from "node:perf_hooks";
import type * as node from "node:timers";

/*
 * Node's timers and steady clock, which a test may advance. Until then they are real: a server has
 * all the time that it needs, and no long deadline passes before the test says so.
 */

interface Waiting {
  readonly due: number;
  readonly fire: () => void;
}

const waiting = new Map<NodeJS.Timeout, Waiting>();
let ahead = 0;

/**
 * Returns the module `node:timers` with timers that {@link advance} makes due.
 *
 * @example
 * ```ts
 * vi.mock("node:timers", async (original) => advanceableTimers(await original()));
 * vi.mock("node:perf_hooks", async (original) => advanceableClock(await original()));
 * ```
 */
export function advanceableTimers(timers: typeof node): object {
  const setTimeout = (task: (...given: unknown[]) => void, milliseconds = 0, ...given: unknown[]) => {
    const fire = (): void => {
      clearTimeout(timer);
      task(...given);
    };
    const timer: NodeJS.Timeout = timers.setTimeout(fire, milliseconds);
    waiting.set(timer, { due: now() + milliseconds, fire });
    return timer;
  };
  const clearTimeout = (timer: NodeJS.Timeout | undefined): void => {
    if (timer !== undefined) waiting.delete(timer);
    timers.clearTimeout(timer);
  };
  return { ...timers, setTimeout, clearTimeout };
}

/** Returns the module `node:perf_hooks` with a clock that {@link advance} advances. */
export function advanceableClock(perfHooks: typeof hooks): object {
  return { ...perfHooks, performance: new AdvanceableClock() };
}

/** Advances the clock by some milliseconds, and calls the timers that are due then. */
export function advance(milliseconds: number): void {
  ahead += milliseconds;
  for (const { due, fire } of [...waiting.values()]) if (due <= now()) fire();
}

class AdvanceableClock {
  now(): number {
    return now();
  }
}

function now(): number {
  return performance.now() + ahead;
}
