import type { CancelTimer, Clock } from "../clock.js";

/** A timer never fires sooner than this many milliseconds from now, unless there is a backlog. */
const COARSEST = 50;

/**
 * The one timer of a cache, for what no operation may come to do: giving back the memory of expired entries. It does
 * not keep the process alive, and holds the cache weakly, so that a cache that nobody has any more can be collected
 * whatever it still waits for.
 */
export class Maintenance {
  private readonly clock: Clock;
  /** Does a bounded piece of work, and returns when there is more: a time, or `Infinity`. */
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

  /** Makes sure that the work is done soon after the time `at`. */
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
