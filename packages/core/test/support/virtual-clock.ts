import type { CancelTimer, Clock } from "../../src/clock.js";

/** A clock that stands still until a test advances it. */
export class VirtualClock implements Clock {
  #now: number;
  readonly #timers = new Set<{ readonly at: number; readonly task: () => void }>();

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now;
  }

  schedule(task: () => void, ms: number): CancelTimer {
    const timer = { at: this.#now + ms, task };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** The number of timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets the time pass as in a suspended process: the due tasks run late, once. */
  suspend(ms: number): void {
    this.#now += ms;
    this.advance(0);
  }

  /** Advances the time, and runs the due tasks in their order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.task();
    }
    this.#now = until;
  }
}
