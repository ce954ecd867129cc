import { AsyncResource } from "node:async_hooks";
import type { Entry } from "../entry/entry.js";
import type { LoadContext, Node } from "../node/node.js";
import type { MaybePromise } from "../node/value-of.js";
import { Operation } from "../plan/operation.js";
import type { Plan } from "../plan/plan.js";
import type { Load } from "./load.js";

/** A load given by the reader, in place of the node's own. */
export type LoadOverride = (context: LoadContext) => MaybePromise<unknown>;

/** How a flight differs from a plain read. */
export interface FlightOptions {
  readonly refreshes?: boolean;
  readonly maxAge?: number | undefined;
  readonly override?: LoadOverride | undefined;
  readonly previous?: Entry | undefined;
}

/**
 * The one read of a key that is under way in this process. Every other reader of the key joins it, and all are given the
 * same promise object: a promise for each reader would cost more than the rest of the miss together.
 */
export class Flight extends Operation {
  readonly plan: Plan;
  readonly node: Node;
  readonly key: string;
  /** Where the flight stands in remote storages. */
  readonly storageKey: string;
  readonly promise: Promise<unknown>;
  /** Whether it passes the tiers by and goes straight to the load, which is then newer than anything stored. */
  readonly refreshes: boolean;
  /** Stored values older than this, in milliseconds, are passed by. */
  readonly maxAge: number;
  readonly override: LoadOverride | undefined;
  /** What the load may look at; known on refreshes only. */
  readonly previous: Entry | undefined;
  /** The async context of the reader that opened the flight: its load runs in there, not in that of the batch. */
  readonly context: AsyncResource = new AsyncResource("CACHEME_FLIGHT", { requireManualDestroy: true });
  /** The load in which the flight was opened, if it was in one. */
  readonly opener: Load | undefined;

  /** How many reads this answers. */
  readers = 0;
  /** How many of the readers may still want the answer; the others had a signal, and left. */
  staying = 0;
  /** Whether a load waits for this, so that it must not wait for a slot that the load's chain may hold. */
  nested = false;
  /** The place of the tier that is being read; beyond the last one the flight is at its load. */
  tier = -1;
  /** The load that answers this, once there is one. */
  load: Load | undefined;
  /** The flight whose answer this takes over instead of loading the same again. */
  follows: Flight | undefined;
  settled = false;
  /** What the load said of how long its value may be kept, in milliseconds. */
  ttl: number | undefined;
  /** Whether the load said that its value is not to be stored. */
  skip = false;

  #isTaken = false;
  /** The readers that wait for copies. */
  #copies: { resolve(value: unknown): void; reject(error: unknown): void }[] | undefined;
  #resolve: (value: unknown) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(plan: Plan, node: Node, key: string, opener: Load | undefined, options: FlightOptions) {
    super();
    this.plan = plan;
    this.node = node;
    this.key = key;
    this.opener = opener;
    this.refreshes = options.refreshes ?? false;
    this.maxAge = options.maxAge ?? Number.POSITIVE_INFINITY;
    this.override = options.override;
    this.previous = options.previous;
    this.storageKey = plan.remoteTiers.length === 0 ? "" : plan.storageKey(key);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /**
   * Whether a reader who wants a value of at most this age may join. A fenced flight may carry an old value; a refresh serves
   * those who asked for one, since the others are better off with what the tiers still have.
   */
  admits(maxAge: number): boolean {
    return (
      !this.fenced && !this.settled && !this.refreshes && (this.maxAge <= maxAge || this.load !== undefined)
    );
  }

  /** Whether nobody wants the answer any more. */
  get abandoned(): boolean {
    return this.staying === 0;
  }

  /**
   * The value for one more reader: the same for all, unless the class's nearest local tier gives copies. Then the first reader is
   * given the value itself, which no tier keeps, and each further one a copy, made before anybody can change the value.
   */
  answer(): Promise<unknown> {
    const first = !this.#isTaken;
    this.#isTaken = true;
    if (first || this.plan.nearest?.storage.copy === undefined) return this.promise;
    return new Promise((resolve, reject) => {
      this.#copies ??= [];
      this.#copies.push({ resolve, reject });
    });
  }

  #resolveCopies(value: unknown): void {
    const storage = this.plan.nearest?.storage;
    for (const { resolve } of this.#copies ?? []) {
      try {
        resolve(storage?.copy?.(value));
      } catch {
        resolve(value); // It cannot be copied, and was not stored for that reason.
      }
    }
  }

  /** A reader with a signal has left. When the last one has, no new reader joins, and the load may be aborted. */
  leave(): void {
    this.staying -= 1;
    if (!this.abandoned) return;
    this.fenced = true;
    this.load?.abandoned();
    this.follows?.leave();
  }

  /** Ends a flight whose readers have all left before its load began. They are answered already, so nobody handles this. */
  abandon(): void {
    this.promise.catch(() => {});
    this.reject(new DOMException("Every reader has left before the load began.", "AbortError"));
  }

  resolve(value: unknown): void {
    this.settled = true;
    this.plan.operations.end(this.key, this);
    if (this.#copies !== undefined) this.#resolveCopies(value);
    this.#resolve(value);
  }

  reject(error: unknown): void {
    this.settled = true;
    this.plan.operations.end(this.key, this);
    for (const { reject } of this.#copies ?? []) reject(error);
    this.#reject(error);
  }
}
