import type { CancelTimer, Clock } from "cacheme";

/** A task that waits for its time. */
interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/** The true time of a cluster, in milliseconds since the epoch. It only moves if it is advanced. */
export class VirtualTime {
  #now: number;
  /** The timers by their time, the next one first. Timers of one time keep their order. */
  readonly #timers: Timer[] = [];

  // Not a whole second, because a clock of whole seconds is known less exactly.
  constructor(now: number = Date.UTC(2026, 0, 1) + 123) {
    this.#now = now;
  }

  get now(): number {
    return this.#now;
  }

  /** The time of the next timer, `undefined` if none waits. */
  get next(): number | undefined {
    return this.#timers[0]?.at;
  }

  /** Calls the task once after `ms` milliseconds. */
  schedule(task: () => void, ms: number): CancelTimer {
    const timer = { at: this.#now + Math.max(0, ms), task };
    let place = this.#timers.length;
    while (place > 0 && (this.#timers[place - 1]?.at ?? 0) > timer.at) place -= 1;
    this.#timers.splice(place, 0, timer);
    return () => {
      const found = this.#timers.indexOf(timer);
      if (found >= 0) this.#timers.splice(found, 1);
    };
  }

  /** Moves the time, and runs the tasks that become due, in their order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = this.#timers;
      if (next === undefined || next.at > until) break;
      this.#timers.shift();
      this.#now = Math.max(this.#now, next.at);
      next.task();
    }
    this.#now = until;
  }
}

/** The clock of one machine. It shows another time of day than the machine beside it. */
export class MachineClock implements Clock {
  readonly #time: VirtualTime;
  #timers: Set<CancelTimer> | undefined = new Set();
  /** Milliseconds by which the clock is ahead of the true time; negative if it is behind. */
  ahead: number;

  constructor(time: VirtualTime, ahead: number) {
    this.#time = time;
    this.ahead = ahead;
  }

  now(): number {
    return this.#time.now + this.ahead;
  }

  elapsed(): number {
    return this.#time.now;
  }

  schedule(task: () => void, ms: number): CancelTimer {
    const timers = this.#timers;
    if (timers === undefined) return () => {};
    const stop = this.#time.schedule(() => {
      timers.delete(cancel);
      task();
    }, ms);
    const cancel = () => {
      timers.delete(cancel);
      stop();
    };
    timers.add(cancel);
    return cancel;
  }

  /** Stops every timer, and starts no further one: the machine's program has crashed. */
  stop(): void {
    const timers = this.#timers;
    this.#timers = undefined;
    for (const cancel of timers ?? []) cancel();
  }
}
