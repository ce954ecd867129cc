import type { Flight } from "./flight.js";
import { unborn } from "./operation.js";

/**
 * The origin of a read's value: a tier, or another read; its own load; or its own load, without
 * being stored in each tier.
 */
export type AnswerOrigin = "found" | "loaded" | "unstored";

/** Returns the origin of a flight's answer. One that goes on after its answer has found it. */
export function originOf({ birth, settled, isUnstored, fenced }: Flight): AnswerOrigin {
  if (birth === unborn || !settled) return "found";
  return isUnstored || fenced ? "unstored" : "loaded";
}

/** The receiver of the answers of a list of reads, or of one. */
export interface ListAnswer {
  /** See {@link Operation.isBulk}. */
  readonly isBulk?: boolean;
  /** A local tier has the value. */
  hit(place: number, value: unknown): void;
  /** A read of the list is answered, as if by a promise: an odd value, such as a revoked proxy, fails its read. */
  resolve(place: number, value: unknown, origin?: AnswerOrigin): void;
  /** A read of the list has failed. */
  reject(place: number, error: unknown): void;
}

/** The answer of a single read, which its readers share. */
export class PromiseAnswer implements ListAnswer {
  readonly promise: Promise<unknown>;
  #resolve: ((value: unknown) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  hit(_place: number, value: unknown): void {
    this.#resolve?.(value);
  }

  resolve(_place: number, value: unknown): void {
    this.#resolve?.(value);
  }

  reject(_place: number, error: unknown): void {
    this.#reject?.(error);
  }
}

/** Collects the answers of a list: each value, or each outcome, in its place. */
abstract class Collected<T> implements ListAnswer {
  readonly #answers: T[];
  #waiting: number;
  #failure: { readonly error: unknown } | undefined;
  #resolve: ((answers: T[]) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(length: number) {
    this.#answers = new Array(length);
    this.#waiting = length;
  }

  abstract hit(place: number, value: unknown): void;
  abstract reject(place: number, error: unknown): void;

  resolve(place: number, value: unknown): void {
    try {
      if (hasThen(value)) answer(this, place, Promise.resolve(value));
      else this.hit(place, value);
    } catch (error) {
      this.reject(place, error);
    }
  }

  /** The promise of all answers. Call it once. */
  promise(): Promise<T[]> {
    if (this.#failure === undefined && this.#waiting === 0) return Promise.resolve(this.#answers);
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure.error);
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  protected put(place: number, answer: T): void {
    this.#answers[place] = answer;
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#resolve?.(this.#answers);
  }

  protected fail(error: unknown): void {
    this.#failure ??= { error };
    this.#reject?.(error);
  }
}

/** The values. The first failure fails the list. */
export class ListValues extends Collected<unknown> {
  hit(place: number, value: unknown): void {
    this.put(place, value);
  }

  reject(_place: number, error: unknown): void {
    this.fail(error);
  }
}

/** The outcomes. No failure fails the list. */
export class ListOutcomes extends Collected<PromiseSettledResult<unknown>> {
  hit(place: number, value: unknown): void {
    this.put(place, { status: "fulfilled", value });
  }

  reject(place: number, reason: unknown): void {
    this.put(place, { status: "rejected", reason });
  }
}

/** Gives the list what the promise settles with. */
export function answer(list: ListAnswer, place: number, promise: Promise<unknown>): void {
  promise.then(
    (value) => list.resolve(place, value),
    (error) => list.reject(place, error),
  );
}

/** As a promise finds out. Throws what reading the value throws. */
function hasThen(value: unknown): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  return typeof Reflect.get(value, "then") === "function";
}
