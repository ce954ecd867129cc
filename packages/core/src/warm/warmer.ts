import type { Clock } from "../clock.js";
import { CachemeError, closedError } from "../errors.js";
import type { Node } from "../node/node.js";
import { optionError, shown } from "../option-checks.js";
import type { Reader } from "../read/reader.js";
import type { Registered } from "../tiers/registered.js";
import { setImmediate } from "../timers.js";
import { batchesOf } from "./batches.js";
import { Pace } from "./pace.js";
import { type ProgressBar, progressBarOf } from "./progress-bar.js";
import { checkedSchedule, leasingStorage, nextRunOf, type WarmScheduleOptions } from "./schedule-options.js";
import type { WarmSchedule } from "./schedule-status.js";
import { WarmBatch, type WarmFailure } from "./warm-batch.js";
import {
  type CheckedWarmOptions,
  checkedWarmOptions,
  type WarmOptions,
  type WarmProgress,
} from "./warm-options.js";
import type { Warmable, WarmReport } from "./warm-report.js";
import { RepeatedWarming } from "./warm-schedule.js";

/** The most failures that a report names. */
const mostFailures = 100;

/** The places of a space that a schedule uses. */
export interface SchedulePlaces {
  /** Returns the storage of that name. */
  storage(name: string): Registered;
  /** Returns the beginning of the space's keys. */
  beforeEntry(): string;
}

/** Warms nodes by the reader of a space. */
export class Warmer {
  readonly #clock: Clock;
  readonly #schedules = new Set<WarmSchedule>();
  #isClosed = false;
  /** Set when the space has its reader. */
  reader: Reader | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Repeats a warm-up by a cron pattern. */
  async schedule(
    pattern: string,
    nodes: () => Warmable | Promise<Warmable>,
    options: WarmScheduleOptions,
    places: SchedulePlaces,
  ): Promise<WarmSchedule> {
    const run = checkedSchedule(options);
    if (typeof nodes !== "function")
      throw optionError(`warmOnSchedule() expected a function that returns nodes, got ${shown(nodes)}.`);
    const { name, storage, timezone, onError } = options;
    const leasing = storage === undefined ? undefined : leasingStorage(places.storage(storage));
    const nextRun = await nextRunOf(pattern, timezone, this.#clock.now());
    if (this.#isClosed) throw closedError("warmOnSchedule was called");
    const leaseKey = (slot: number) => `${places.beforeEntry()}~warm:${name}@${slot}`;
    const parts = { nextRun, nodes, options: run, onError, storage: leasing, leaseKey };
    const schedule = new RepeatedWarming(this.#clock, this, parts);
    this.#schedules.add(schedule);
    return schedule;
  }

  /** Forgets a schedule that has ended. */
  forget(schedule: WarmSchedule): void {
    this.#schedules.delete(schedule);
  }

  /** Stops every schedule. Does not wait for the loads of their runs. */
  close(): void {
    this.#isClosed = true;
    for (const schedule of [...this.#schedules]) void schedule.stop();
  }

  /** Reads and loads the nodes, in batches of which a few are under way at once. */
  async warm(nodes: Warmable, options: WarmOptions): Promise<WarmReport> {
    const checked = checkedWarmOptions(options);
    checked.signal?.throwIfAborted();
    const { reader } = this;
    if (reader === undefined) throw new Error("The space has no reader yet.");
    const total = checked.total ?? (Array.isArray(nodes) ? nodes.length : undefined);
    const batches = batchesOf(nodes, checked.batch, checked.signal);
    const bar = checked.progressBar ? await progressBarOf(total) : undefined;
    try {
      return await new Warming({ ...checked, total }, reader, this.#clock, bar).run(batches);
    } finally {
      bar?.stop();
    }
  }
}

class Warming {
  readonly #options: CheckedWarmOptions;
  readonly #reader: Reader;
  readonly #clock: Clock;
  readonly #bar: ProgressBar | undefined;
  readonly #failures: WarmFailure[] = [];
  readonly #underway = new Set<Promise<void>>();
  #warmed = 0;
  #fresh = 0;
  #failed = 0;
  /** The error that ends the warm-up. */
  #end: { readonly error: unknown } | undefined;

  constructor(options: CheckedWarmOptions, reader: Reader, clock: Clock, bar: ProgressBar | undefined) {
    this.#options = options;
    this.#reader = reader;
    this.#clock = clock;
    this.#bar = bar;
  }

  async run(batches: AsyncIterable<readonly Node[]>): Promise<WarmReport> {
    const { concurrency, rate, signal } = this.#options;
    const began = this.#clock.elapsed();
    const pace = new Pace(this.#clock, rate);
    try {
      for await (const nodes of batches) {
        await pace.turn(nodes.length, signal);
        while (this.#underway.size >= concurrency) await Promise.race(this.#underway);
        if (this.#end !== undefined || signal?.aborted === true) break;
        this.#begin(nodes);
        // Lets others have their turn, also if the local tiers have everything.
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    } finally {
      await Promise.all(this.#underway);
    }
    if (this.#end !== undefined) throw this.#end.error;
    signal?.throwIfAborted();
    const total = this.#warmed + this.#fresh + this.#failed;
    const duration = this.#clock.elapsed() - began;
    return { ...this.#progress, total, failures: this.#failures, duration };
  }

  #begin(nodes: readonly Node[]): void {
    const batch = new WarmBatch(nodes);
    this.#reader.warm(nodes, batch);
    const done = batch.settled.then(() => {
      this.#underway.delete(done);
      this.#add(batch);
    });
    this.#underway.add(done);
  }

  #add({ warmed, fresh, failures }: WarmBatch): void {
    this.#warmed += warmed;
    this.#fresh += fresh;
    this.#failed += failures.length;
    this.#failures.push(...failures.slice(0, mostFailures - this.#failures.length));
    const closed = failures.find(({ error }) => isClosed(error));
    if (closed !== undefined) this.#end ??= closed;
    try {
      this.#bar?.show(this.#progress);
      this.#options.onProgress?.(this.#progress);
    } catch (error) {
      this.#end ??= { error };
    }
  }

  get #progress(): WarmProgress {
    return { warmed: this.#warmed, fresh: this.#fresh, failed: this.#failed, total: this.#options.total };
  }
}

/** Whether the space was closed, so that no further node can be read. */
function isClosed(error: unknown): boolean {
  return error instanceof CachemeError && error.code === "CACHEME_CLOSED";
}
