import type { CancelTimer, Clock } from "../clock.js";

/** Minimum delay of a timer in milliseconds, unless there is a backlog. */
const COARSEST = 50;

/**
 * The one timer of a cache. It frees the memory of expired entries if no operation does. It does
 * not keep the process alive. It holds the cache weakly, so an unused cache can be collected,
 * whatever timer is pending.
 */
export class Maintenance {
  private readonly clock: Clock;
  /** Does a bounded piece of work and returns the time for the next one, or `Infinity`. */
  private readonly work: (now: number) => number;
  private readonly task: () => void;
  private cancelTimer: CancelTimer | undefined;
  private at: number = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, work: (now: number) => number) {
    this.clock = clock;
    this.work = work;
    const weak = new WeakRef(this);
    this.task = () => {
      const maintenance = weak.deref();
      if (maintenance !== undefined) maintenance.run();
    };
  }

  /** Schedules the work for the time `at`, or soon after it. */
  scheduleBy(at: number, now: number): void {
    const when = Math.max(at, now + COARSEST);
    if (when < this.at) this.schedule(when, now);
  }

  cancel(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.at = Number.POSITIVE_INFINITY;
  }

  private schedule(at: number, now: number): void {
    this.cancelTimer?.();
    this.at = at;
    this.cancelTimer = this.clock.schedule(this.task, Math.max(at - now, 1));
  }

  private run(): void {
    this.cancelTimer = undefined;
    this.at = Number.POSITIVE_INFINITY;
    const now = this.clock.now();
    const next = this.work(now);
    if (next <= now) this.schedule(now + 1, now);
    else if (next !== Number.POSITIVE_INFINITY) this.scheduleBy(next, now);
  }
}
