import type { Clock } from "../../src/clock.js";

interface Waiting {
  readonly at: number;
  readonly task: () => void;
}

/** A clock that moves only when a test advances it. It counts how often it is read. */
export class VirtualClock implements Clock {
  time: number;
  reads = 0;
  #waiting: Waiting[] = [];

  constructor(time = 1_000_000) {
    this.time = time;
  }

  get timers(): number {
    return this.#waiting.length;
  }

  now(): number {
    this.reads++;
    return this.time;
  }

  schedule(task: () => void, ms: number): () => void {
    const waiting = { at: this.time + ms, task };
    this.#waiting.push(waiting);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
    };
  }

  /** Advances the time without running timers, to see what operations do by themselves. */
  skip(ms: number): void {
    this.time += ms;
  }

  /** Advances the time and runs the timers that are due on the way, in order. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.#waiting.reduce<Waiting | undefined>(
        (first, other) => (first === undefined || other.at < first.at ? other : first),
        undefined,
      );
      if (next === undefined || next.at > end) break;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.time = Math.max(this.time, next.at);
      next.task();
    }
    this.time = end;
  }
}
