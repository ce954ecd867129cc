import { nextTick } from "../timers.js";

const settled = Promise.resolve();

/**
 * Gathers the requests of one tick of the event loop, and runs them together.
 *
 * A task runs after the promise jobs that were waiting when the first task was added. `then` puts
 * the end of the tick behind those jobs, and `nextTick` behind the jobs that they start in turn. So
 * reads behind several `await`s still travel in one batch, but `queueMicrotask` would send each
 * depth by itself. `setImmediate` would gather no more, and a lone read would wait for the event
 * loop's next round.
 */
export class Tick {
  #tasks: (() => void)[] = [];

  /** Runs the task at the end of this tick. The task must not throw. */
  add(task: () => void): void {
    if (this.#tasks.push(task) === 1) void settled.then(() => nextTick(this.#run));
  }

  readonly #run = (): void => {
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) task();
  };
}
