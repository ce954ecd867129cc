import { clearTimeout, setImmediate, setTimeout } from "../timers.js";
/**
 * Removes expired records in the background, a small batch at a time, for databases that do not do
 * so themselves. No read relies on it. Its timer keeps no process alive. For authors of storages.
 *
 * @example
 * ```ts
 * const sweeper = new Sweeper(60_000, async () => (await removeExpired({ atMost: 1000 })) === 1000);
 * sweeper.start();
 * await sweeper.stop();
 * ```
 */
export class Sweeper {
  readonly #interval: number;
  readonly #sweep: () => Promise<boolean>;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = true;

  /**
   * @param interval milliseconds from the end of one sweep to the next. Up to a tenth is left out
   *   at random, so that many processes do not sweep at one moment.
   * @param sweep removes one batch and returns whether there may be more; a failed one is tried
   *   again next time
   */
  constructor(interval: number, sweep: () => Promise<boolean>) {
    this.#interval = interval;
    this.#sweep = sweep;
  }

  /** Starts the sweeps. A second call does nothing more. */
  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#wait();
  }

  /** Stops the sweeps. Settles when no batch is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #wait(): void {
    this.#timer = setTimeout(
      () => {
        this.#running = this.#run().finally(() => {
          this.#running = undefined;
          if (!this.#stopped) this.#wait();
        });
      },
      this.#interval * (1 - Math.random() / 10),
    ).unref();
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped && (await this.#sweep())) await nextTurn();
    } catch {
      // Nobody waits for a sweep, and nothing relies on it. A storage in trouble reports it to its
      // readers and writers.
    }
  }
}

/** Lets all waiting work run first. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
