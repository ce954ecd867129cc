import { clearTimeout, elapsed, setInterval, setTimeout } from "./timers.js";

/** A timer of Node, as far as it is needed here. */
export interface Timer {
  ref(): unknown;
  unref(): unknown;
}

/** Node's timers, or those of a test. */
export interface Timers<T extends Timer> {
  /** Returns milliseconds, with fractions. */
  elapsed(): number;
  setTimeout(task: () => void, ms: number): T;
  clearTimeout(timer: T): void;
  setInterval(task: () => void, ms: number): Timer;
}

const nodeTimers: Timers<NodeJS.Timeout> = { elapsed, setTimeout, clearTimeout, setInterval };

/** The most delays whose timer keeps running although no deadline is pending. */
const mostIdle = 16;

/** The longest delay that a timer takes. */
const longestDelay = 2 ** 31 - 1;

/**
 * Deadlines that keep the process alive. Nearly all are cancelled soon, because a load takes
 * milliseconds and has seconds. So the deadlines of one delay share a timer, which keeps running
 * when they are cancelled. A timer for each would take five times as long.
 */
export class Deadlines<T extends Timer> {
  readonly #timers: Timers<T>;
  readonly #lists = new Map<number, DeadlineList<T>>();
  /** Keeps the process alive while a deadline is pending, and does nothing else. */
  #keepAlive: Timer | undefined;
  #pending = 0;

  constructor(timers: Timers<T>) {
    this.#timers = timers;
  }

  /** Calls the task once after so many milliseconds, unless it is cancelled before. */
  add(task: () => void, ms: number): () => void {
    let list = this.#lists.get(ms);
    if (list === undefined) {
      list = new DeadlineList(ms, this.#timers, this.#ended);
      this.#lists.set(ms, list);
    }
    this.#pending += 1;
    if (this.#pending === 1) this.#hold();
    return list.add(task);
  }

  #hold(): void {
    if (this.#keepAlive === undefined) this.#keepAlive = this.#timers.setInterval(() => {}, longestDelay);
    else this.#keepAlive.ref();
  }

  readonly #ended = (list: DeadlineList<T>, count: number): void => {
    this.#pending -= count;
    if (this.#pending === 0) this.#keepAlive?.unref();
    if (!list.isEmpty || (list.isArmed && this.#lists.size <= mostIdle)) return;
    list.disarm();
    if (this.#lists.get(list.ms) === list) this.#lists.delete(list.ms);
  };
}

interface Deadline {
  readonly task: () => void;
  readonly due: number;
  previous: Deadline | undefined;
  next: Deadline | undefined;
  isPending: boolean;
}

/** The pending deadlines of one delay, the earliest first. */
class DeadlineList<T extends Timer> {
  readonly #timers: Timers<T>;
  readonly ms: number;
  readonly #ended: (list: DeadlineList<T>, count: number) => void;
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #timer: T | undefined;

  /** @param ended called with the number of deadlines that are no longer pending; 0 if the timer has ended */
  constructor(ms: number, timers: Timers<T>, ended: (list: DeadlineList<T>, count: number) => void) {
    this.ms = ms;
    this.#timers = timers;
    this.#ended = ended;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  get isArmed(): boolean {
    return this.#timer !== undefined;
  }

  add(task: () => void): () => void {
    const due = this.#timers.elapsed() + this.ms;
    const deadline: Deadline = { task, due, previous: this.#last, next: undefined, isPending: true };
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.next = deadline;
    this.#last = deadline;
    if (this.#timer === undefined) this.#arm(this.ms);
    return () => this.#remove(deadline);
  }

  disarm(): void {
    if (this.#timer !== undefined) this.#timers.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #remove(deadline: Deadline): void {
    if (!deadline.isPending) return;
    deadline.isPending = false;
    const { previous, next } = deadline;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    this.#ended(this, 1);
  }

  #arm(ms: number): void {
    this.#timer = this.#timers.setTimeout(this.#fire, Math.min(ms, longestDelay));
    this.#timer.unref();
  }

  /** Runs what is due. The timer may be early for all, because it began with a cancelled deadline. */
  readonly #fire = (): void => {
    const now = this.#timers.elapsed();
    try {
      for (let first = this.#first; first !== undefined && first.due <= now; first = this.#first) {
        this.#remove(first);
        first.task();
      }
    } finally {
      this.#timer = undefined;
      if (this.#first === undefined) this.#ended(this, 0);
      else this.#arm(Math.max(1, Math.ceil(this.#first.due - now)));
    }
  };
}

/** The deadlines of the process. */
export const deadlines: Deadlines<NodeJS.Timeout> = new Deadlines(nodeTimers);
