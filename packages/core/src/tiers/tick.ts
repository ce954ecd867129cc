import { nextTick } from "../timers.js";

const settled = Promise.resolve();

/**
 * Gathers what one tick of the event loop asks for, and runs it together.
 *
 * A task runs after the promise jobs that were waiting when the first one was added: `then` puts the end of the tick behind
 * them, and `nextTick` behind those that they start in turn. So reads that are reached through several `await`s still travel
 * in one batch, where `queueMicrotask` would send each depth by itself; `setImmediate` would gather no more and make a lone
 * read wait for the event loop's next round.
 */
export class Tick {
  #tasks: (() => void)[] = [];

  /** Runs the task at the end of this tick. It must not throw. */
  add(task: () => void): void {
    if (this.#tasks.push(task) === 1) void settled.then(() => nextTick(this.#run));
  }

  readonly #run = (): void => {
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) task();
  };
}
