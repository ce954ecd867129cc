import type { Clock } from "../clock.js";
import { setImmediate } from "../timers.js";

/** Milliseconds that one turn of the event loop works on news. */
const longestWork = 10;

/** The most tasks that wait. A task handles one message of 64 KiB, or a thousand keys. */
const mostTasks = 500;

/**
 * The tasks of the news that have arrived. A storm arrives in few turns of the event loop, so that
 * its tasks are spread over more of them. If too many wait, they are given up.
 */
export class Inbox {
  readonly #clock: Clock;
  readonly #overflowed: () => void;
  #tasks: (() => void)[] = [];
  /** The time at which the work of this turn began. */
  #began: number | undefined;

  /** @param overflowed called after the waiting tasks were given up */
  constructor(clock: Clock, overflowed: () => void) {
    this.#clock = clock;
    this.#overflowed = overflowed;
  }

  /** Runs the task now, or after those that wait. */
  add(task: () => void): void {
    if (this.#tasks.length === 0 && !this.#isOverTime()) {
      task();
      return;
    }
    this.#tasks.push(task);
    if (this.#tasks.length <= mostTasks) return;
    this.clear();
    this.#overflowed();
  }

  clear(): void {
    this.#tasks = [];
  }

  /** Returns whether this turn has worked long enough. */
  #isOverTime(): boolean {
    const now = this.#clock.elapsed();
    if (this.#began === undefined) {
      this.#began = now;
      setImmediate(this.#nextTurn);
    }
    return now - this.#began > longestWork;
  }

  readonly #nextTurn = (): void => {
    this.#began = undefined;
    let done = 0;
    const tasks = this.#tasks;
    while (done < tasks.length && tasks === this.#tasks && !this.#isOverTime()) {
      const task = tasks[done];
      done += 1;
      task?.();
    }
    if (tasks === this.#tasks) tasks.splice(0, done);
  };
}
