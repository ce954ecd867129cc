import { ExponentialBackoff, type IBackoff, type IBackoffFactory } from "cockatiel";
import { CachemeError } from "../errors.js";
import type { ResolvedRetry } from "../node/policy/retry.js";

/**
 * Counts the calls of one load, and tells the pause before the next one.
 *
 * The pauses are cockatiel's: exponential, with decorrelated jitter. Its policy is not used, because
 * it waits by the machine's timers. Here the space's clock decides, the load timeout ends a pause,
 * and so do the readers that leave.
 */
export class Retries {
  readonly #policy: ResolvedRetry;
  #backoff: IBackoff<unknown> | IBackoffFactory<unknown>;
  #left: number;

  constructor(policy: ResolvedRetry) {
    this.#policy = policy;
    this.#left = policy.times;
    const { initialDelay, maxDelay } = policy;
    this.#backoff = new ExponentialBackoff({ initialDelay, maxDelay });
  }

  /** The number of the call that follows next; 1 for the first one that is repeated. */
  get attempt(): number {
    return this.#policy.times - this.#left;
  }

  /** Returns whether a call that failed with this error may be repeated. */
  allows(error: unknown): boolean {
    if (this.#left === 0) return false;
    const { when } = this.#policy;
    if (when === undefined) return !(error instanceof CachemeError);
    try {
      return when(error) === true;
    } catch {
      return false; // The readers get the load's own error.
    }
  }

  /** Takes one of the calls that are left, and returns the pause before it, in milliseconds. */
  take(): number {
    this.#left -= 1;
    const next = this.#backoff.next(undefined);
    this.#backoff = next;
    return Math.max(1, Math.round(next.duration));
  }
}
