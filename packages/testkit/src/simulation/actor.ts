import type { SimulatedProcess } from "../cluster/simulated-process.js";
import type { Invalidation } from "./invalidations.js";
import type { Origin } from "./origins.js";

/** Something of a process that is under way: a call, a load, or a request. */
export interface Activity {
  /** The event of its beginning. */
  readonly begun: number;
  /** The true time of its beginning. */
  readonly at: number;
  /** The keys that it concerns; `undefined` for all. */
  readonly keys: readonly number[] | undefined;
  readonly isRequest: boolean;
  /** The time at which a request's process gives up waiting for it. Default: never. */
  readonly due?: number | undefined;
}

/** A read that waits for its answer. */
export interface Read {
  readonly key: number;
  readonly way: "get" | "getAll" | "maxAge" | "fresh" | "refresh";
  readonly actor: Actor;
  /** The event of the call. */
  readonly born: number;
  /** The time of the call. */
  readonly at: number;
  readonly maxAge: number | undefined;
  /**
   * The event as of which the read knows the servers. It is the sending of the oldest request of
   * the key under way, because the read may join it.
   */
  readonly asOf: number;
  /** The beginning of the oldest activity that it may have joined; infinity if there was none. */
  readonly joined: number;
  /** The true time since which its key is busy in the process: that of the call, or earlier. */
  readonly joinedAt: number;
}

/** A value that a reader was given, or that a set has stored. */
export interface Given {
  readonly origin: Origin;
  /** The event before which an older value must not have begun. */
  readonly floor: number;
  /** The event since which reads may not get an older value. */
  readonly since: number;
}

/** A load that runs. */
export interface RunningLoad {
  readonly key: number;
  readonly born: number;
  /** The event and the time since which its key was busy in its process. */
  readonly since: number;
  readonly sinceTime: number;
}

/** The state of one program: a process, until it crashes. */
export class Actor {
  readonly process: SimulatedProcess;
  readonly loads: Set<RunningLoad> = new Set();
  readonly reads: Set<Read> = new Set();
  /** The values of each key that readers were given, and that later reads may not go behind. */
  readonly given: Given[][];
  /** The storages that the process does not call, because they have stopped answering. */
  readonly open: Set<string> = new Set();
  /**
   * The first publication of each other process that the bus has brought since the subscription.
   * From then on, numbers reveal what was missed.
   */
  readonly heard: Map<Actor, number> = new Map();
  /** The number of calls that have not settled. */
  unsettled = 0;
  /** The servers that have answered, or have failed to. The deadline of the first calls is longer. */
  readonly settled: Set<string> = new Set();
  readonly #activities = new Set<Activity>();
  /** The event of the last trouble of each key. */
  readonly #trouble: number[];
  /** The sending of the request of each key that was answered last. */
  readonly #answered: number[];
  readonly #unclean = new Set<Invalidation>();
  readonly #now: () => number;

  /** @param now returns the true time */
  constructor(process: SimulatedProcess, keys: readonly number[], now: () => number) {
    this.process = process;
    this.given = keys.map(() => []);
    this.#trouble = keys.map(() => 0);
    this.#answered = keys.map(() => 0);
    this.#now = now;
  }

  get name(): string {
    return `process ${this.process.number}`;
  }

  begin(activity: Activity): void {
    this.#activities.add(activity);
  }

  end(activity: Activity): void {
    if (!this.#activities.delete(activity) || this.#unclean.size === 0) return;
    for (const invalidation of this.#unclean) this.#clean(invalidation);
  }

  /** Records that a request of the key failed; `undefined` for every key. */
  fail(key: number | undefined, event: number): void {
    if (key === undefined) this.#trouble.fill(event);
    else this.#trouble[key] = event;
  }

  /** Records that a request was answered. */
  answers({ begun, keys }: Activity): void {
    for (const key of keys ?? this.#answered.keys()) this.#answered[key] = begun;
  }

  /** Returns the sending of the request that was answered last. */
  lastAnswered(key: number): number {
    return this.#answered[key] ?? 0;
  }

  /** Returns the event of the last trouble of the key; `undefined` for any key. */
  troubleOf(key: number | undefined): number {
    if (this.open.size > 0) return Number.POSITIVE_INFINITY;
    return key === undefined ? Math.max(...this.#trouble) : (this.#trouble[key] ?? 0);
  }

  /** Returns the beginning of the oldest activity of the key, or of any key; infinity if none. */
  oldest(key: number | undefined, accepts: (activity: Activity) => boolean = () => true): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const activity of this.#activities) {
      if (activity.due !== undefined && activity.due <= this.#now()) continue;
      const concerns = key === undefined || activity.keys === undefined || activity.keys.includes(key);
      if (concerns && accepts(activity)) oldest = Math.min(oldest, activity.begun);
    }
    return oldest;
  }

  /** Returns the time since which the key is busy. */
  sinceTime(key: number, now: number): number {
    let since = now;
    for (const { keys, at } of this.#activities) {
      if (keys === undefined || keys.includes(key)) since = Math.min(since, at);
    }
    return since;
  }

  /** Whether a storage was in trouble since the key was last at rest. */
  wasInTrouble(key: number): boolean {
    return this.troubleOf(key) > 0 && this.troubleOf(key) >= this.oldest(key);
  }

  /**
   * Notes an invalidation of another process. It is clean here when nothing is under way that began
   * before the invalidation was done. Local entries of older values expire one ttl later.
   */
  awaitsClean(invalidation: Invalidation): void {
    this.#unclean.add(invalidation);
    this.#clean(invalidation);
  }

  #clean(invalidation: Invalidation): void {
    if (this.oldest(invalidation.key) <= invalidation.settled) return;
    invalidation.cleanAt.set(this, this.#now());
    this.#unclean.delete(invalidation);
  }
}
