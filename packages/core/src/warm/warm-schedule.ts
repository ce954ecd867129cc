import type { CancelTimer, Clock } from "../clock.js";
import { asError } from "../errors.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import type { NextRun } from "./schedule-options.js";
import type { WarmSchedule, WarmScheduleStatus } from "./schedule-status.js";
import type { WarmOptions } from "./warm-options.js";
import type { Warmable, WarmReport } from "./warm-report.js";
import type { Warmer } from "./warmer.js";

/** The parts of a schedule. */
export interface ScheduleParts {
  readonly nextRun: NextRun;
  readonly nodes: () => Warmable | Promise<Warmable>;
  readonly options: WarmOptions;
  readonly onError: ((error: Error) => void) | undefined;
  /** The storage that decides which process runs; `undefined` if each process does. */
  readonly storage: RemoteBatch | undefined;
  /** Returns the key of the lease of a run. */
  readonly leaseKey: (slot: number) => string;
}

/** The shortest time that the lease of a run is kept: no clocks differ by more. */
const shortestLease = 60_000;

/** Repeats a warm-up. Nothing here rejects, and no timer keeps the program alive. */
export class RepeatedWarming implements WarmSchedule {
  readonly #clock: Clock;
  readonly #warmer: Warmer;
  readonly #parts: ScheduleParts;
  readonly #ends = new AbortController();
  #cancel: CancelTimer = () => {};
  #next: number | undefined;
  #running: Promise<void> | undefined;
  #lastRun: number | undefined;
  #lastReport: WarmReport | undefined;
  #lastError: Error | undefined;
  #runs = 0;
  #skipped = 0;

  constructor(clock: Clock, warmer: Warmer, parts: ScheduleParts) {
    this.#clock = clock;
    this.#warmer = warmer;
    this.#parts = parts;
    this.#planAfter(clock.now());
  }

  status(): WarmScheduleStatus {
    return {
      isRunning: this.#running !== undefined,
      nextRun: this.#next,
      lastRun: this.#lastRun,
      lastReport: this.#lastReport,
      lastError: this.#lastError,
      runs: this.#runs,
      skipped: this.#skipped,
    };
  }

  async stop(): Promise<void> {
    this.#cancel();
    this.#next = undefined;
    this.#ends.abort(new Error("The schedule of the warm-up was stopped."));
    this.#warmer.forget(this);
    await this.#running;
  }

  #planAfter(time: number): void {
    this.#next = this.#parts.nextRun(time);
    this.#wait();
  }

  #wait(): void {
    if (this.#next === undefined) return;
    this.#cancel = this.#clock.schedule(() => this.#due(), Math.max(1, this.#next - this.#clock.now()));
  }

  #due(): void {
    const slot = this.#next;
    if (slot === undefined) return;
    // A timer may fire too early: it takes 24 days at most, and the clock may have been set back.
    if (this.#clock.now() < slot) {
      this.#wait();
      return;
    }
    this.#planAfter(Math.max(slot, this.#clock.now()));
    if (this.#running !== undefined) {
      this.#skipped += 1;
      return;
    }
    this.#running = this.#run(slot).finally(() => {
      this.#running = undefined;
    });
  }

  async #run(slot: number): Promise<void> {
    const { nodes, options } = this.#parts;
    try {
      if (!(await this.#isOurs(slot))) {
        this.#skipped += 1;
        return;
      }
      this.#runs += 1;
      this.#lastRun = this.#clock.now();
      const { signal } = this.#ends;
      this.#lastReport = await this.#warmer.warm(await unlessAborted(nodes(), signal), {
        ...options,
        signal,
      });
      this.#lastError = undefined;
    } catch (thrown) {
      if (!this.#ends.signal.aborted) this.#failed(asError(thrown));
    }
  }

  #failed(error: Error): void {
    this.#lastError = error;
    try {
      this.#parts.onError?.(error);
    } catch (thrown) {
      process.emitWarning(
        `onError of warmOnSchedule() has thrown: ${asError(thrown).message}`,
        "CachemeWarning",
      );
    }
  }

  /**
   * Takes the lease of the run, which is not given back: a process whose clock is behind comes later.
   *
   * @throws the error of the storage
   */
  #isOurs(slot: number): Promise<boolean> {
    const { storage, leaseKey } = this.#parts;
    if (storage === undefined) return Promise.resolve(true);
    const untilNext = (this.#next ?? slot) - slot;
    return new Promise((resolve, reject) => {
      storage.leases.acquire({
        storageKey: leaseKey(slot),
        duration: Math.max(shortestLease, untilNext),
        steal: false,
        seen: undefined,
        acquired: (answer, trouble) => {
          if (answer === undefined) reject(trouble ?? new Error("The storage has not answered."));
          else resolve(answer.outcome === "granted");
        },
      });
    });
  }
}

/** Settles as the nodes do, or rejects when the schedule has ended. */
function unlessAborted(nodes: Warmable | Promise<Warmable>, signal: AbortSignal): Promise<Warmable> {
  if (signal.aborted) return Promise.reject(signal.reason);
  let abort: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
  });
  return Promise.race([nodes, aborted]).finally(() => signal.removeEventListener("abort", abort));
}
