import type { CancelTimer, Clock } from "../clock.js";

/** Spreads items over time, so many a second at most. */
export class Pace {
  readonly #clock: Clock;
  readonly #rate: number;
  /** The time when the next items may begin, as {@link Clock.elapsed} measures. */
  #next: number;

  /** @param rate items a second; `Infinity` for no limit */
  constructor(clock: Clock, rate: number) {
    this.#clock = clock;
    this.#rate = rate;
    this.#next = clock.elapsed();
  }

  /** Settles when so many items may begin; at once if the signal aborts. */
  async turn(items: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#rate === Number.POSITIVE_INFINITY || signal?.aborted === true) return;
    const now = this.#clock.elapsed();
    const begins = Math.max(now, this.#next);
    this.#next = begins + (items / this.#rate) * 1_000;
    if (begins > now) await pause(this.#clock, begins - now, signal);
  }
}

function pause(clock: Clock, milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    let cancel: CancelTimer = () => {};
    const done = () => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    // The caller waits, so the pause keeps the program alive.
    cancel = clock.schedule(done, milliseconds, { keepsAlive: true });
    signal?.addEventListener("abort", done);
  });
}
