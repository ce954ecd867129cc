import type { Background } from "../../background.js";
import type { CancelTimer, Clock } from "../../clock.js";
import type { FailedRemoval } from "./failed-removal.js";

/** The number of removals that a queue holds before its storage is distrusted as a whole. */
const mostRemovals = 10_000;

/** The number of removals that are repeated at once: one request. */
const chunkSize = 1_000;

/** The first and the longest pause between two attempts, in milliseconds. */
const [firstPause, longestPause] = [250, 30_000];

/** The shortest time between two attempts if the storage answers other calls. */
const shortestInterval = 1_000;

/** The longest time for the last attempt, while the storage is being closed. */
const longestLastAttempt = 2_000;

/**
 * The removals that did not reach one storage. They are repeated after a pause that grows, and when
 * the storage answers again. The queue keeps no process alive.
 */
export class ReplayQueue {
  readonly #clock: Clock;
  readonly #isCallable: () => boolean;
  readonly #random: () => number;
  readonly #removals = new Set<FailedRemoval>();
  /** Keeps the host awake until a removal has succeeded. */
  background: Background | undefined;
  #failures = 0;
  #lastAttempt = Number.NEGATIVE_INFINITY;
  #cancel: CancelTimer | undefined;
  #attempt: Promise<void> | undefined;
  #isClosed = false;

  /** @param isCallable returns whether the storage may be called, so that an attempt makes sense */
  constructor(clock: Clock, isCallable: () => boolean, random: () => number = Math.random) {
    this.#clock = clock;
    this.#isCallable = isCallable;
    this.#random = random;
  }

  get size(): number {
    return this.#removals.size;
  }

  get isFull(): boolean {
    return this.#removals.size >= mostRemovals;
  }

  add(removal: FailedRemoval): void {
    removal.queue = this;
    this.#removals.add(removal);
    if (this.background?.keepAwake !== undefined) this.background.hand(removal.settled);
    this.#wait();
  }

  delete(removal: FailedRemoval): void {
    removal.queue = undefined;
    if (this.#removals.delete(removal) && this.#removals.size === 0) this.#stopWaiting();
  }

  /** Takes the removals of another queue, because another storage has taken the name. */
  adopt(other: ReplayQueue): void {
    for (const removal of [...other.#removals]) {
      other.delete(removal);
      this.add(removal);
    }
  }

  /** Repeats the removals now, unless that was tried a moment ago. */
  poke(): void {
    if (this.#removals.size === 0) return;
    if (this.#clock.elapsed() - this.#lastAttempt >= shortestInterval) this.#begin();
  }

  /** Tries once more, in a bounded time, and gives up the rest with the error. */
  async close(error: Error): Promise<void> {
    this.#stopWaiting();
    if (this.#removals.size > 0) {
      await new Promise<void>((resolve) => {
        const stop = this.#clock.schedule(resolve, longestLastAttempt, { keepsAlive: true });
        void (this.#attempt ?? Promise.resolve())
          .then(() => this.#repeat())
          .then(() => {
            stop();
            resolve();
          });
      });
    }
    this.#isClosed = true;
    this.#stopWaiting();
    for (const removal of [...this.#removals]) removal.abandon(error);
  }

  #wait(): void {
    if (this.#cancel !== undefined || this.#attempt !== undefined || this.#isClosed) return;
    if (this.#removals.size === 0) return;
    const longest = Math.min(firstPause * 2 ** this.#failures, longestPause);
    // Each process leaves out another part, so that they do not all come back at one moment.
    const pause = longest * (0.5 + this.#random() / 2);
    this.#cancel = this.#clock.schedule(() => this.#begin(), pause);
  }

  #stopWaiting(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #begin(): void {
    if (this.#attempt !== undefined || this.#isClosed) return;
    this.#stopWaiting();
    if (!this.#isCallable()) {
      this.#wait();
      return;
    }
    this.#attempt = this.#repeat().then((isComplete) => {
      this.#attempt = undefined;
      this.#failures = isComplete ? 0 : this.#failures + 1;
      this.#wait();
    });
  }

  /** Repeats all removals that are due. Returns whether there were any, and none has failed. */
  async #repeat(): Promise<boolean> {
    this.#lastAttempt = this.#clock.elapsed();
    const due = [...this.#removals].filter((removal) => removal.isDue);
    for (let start = 0; start < due.length; start += chunkSize) {
      const chunk = due.slice(start, start + chunkSize);
      const outcomes = await Promise.all(chunk.map((removal) => this.#outcomeOf(removal)));
      if (outcomes.some((error) => error !== undefined)) return false;
    }
    return due.length > 0;
  }

  #outcomeOf(removal: FailedRemoval): Promise<Error | undefined> {
    // A newer write may have replaced the old value since.
    if (!this.#removals.has(removal)) return Promise.resolve(undefined);
    return new Promise((resolve) =>
      removal.replay((error) => {
        if (error !== undefined && this.#removals.delete(removal)) {
          // Goes to the end, so that one that always fails does not keep the others waiting.
          this.#removals.add(removal);
        }
        resolve(error);
      }),
    );
  }
}
