import type { ReplayQueue } from "./replay-queue.js";

/**
 * A removal that did not reach a storage: of a key, of a class's keys, or the invalidation of a
 * tag. It is repeated until it succeeds; see {@link ReplayQueue}. Until then the caller distrusts
 * what the storage may still hold.
 */
export abstract class FailedRemoval {
  /** The queue that repeats it, while it waits there. */
  queue: ReplayQueue | undefined;
  #outcome: { readonly error: Error | undefined } | undefined;
  #settled: Promise<void> | undefined;
  #settle: (error: Error | undefined) => void = () => {};
  #followers: FailedRemoval[] | undefined;

  /** Whether it may be repeated now. Default: yes. */
  get isDue(): boolean {
    return true;
  }

  /**
   * Repeats the removal. It must call {@link succeed} if it succeeds.
   *
   * @param done called with the error if it failed again. Must be called once
   */
  abstract replay(done: (error: Error | undefined) => void): void;

  /**
   * Settles when the removal has succeeded, or a newer write has replaced the old value. Rejects if
   * the space was closed before. Nobody has to handle the rejection.
   */
  get settled(): Promise<void> {
    if (this.#settled === undefined) {
      this.#settled = new Promise((resolve, reject) => {
        this.#settle = (error) => (error === undefined ? resolve() : reject(error));
      });
      this.#settled.catch(() => {});
      if (this.#outcome !== undefined) this.#settle(this.#outcome.error);
    }
    return this.#settled;
  }

  /** Ends it: the storage holds no old value any more. */
  succeed(): void {
    this.#end(undefined);
  }

  /** Ends it without success. */
  abandon(error: Error): void {
    this.#end(error);
  }

  /** Leaves the removal to another one, which does its work, too. */
  leaveTo(other: FailedRemoval): void {
    this.queue?.delete(this);
    other.#followers ??= [];
    other.#followers.push(this);
  }

  #end(error: Error | undefined): void {
    if (this.#outcome !== undefined) return;
    this.queue?.delete(this);
    this.#outcome = { error };
    this.#settle(error);
    for (const follower of this.#followers ?? []) follower.#end(error);
    this.#followers = undefined;
  }
}
