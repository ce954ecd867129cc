import { asError } from "../errors.js";
import { FailedRemoval } from "../tiers/guarded/failed-removal.js";
import { removeMatching } from "../tiers/remove-matching.js";
import type { OwedRemoval } from "./owed-removal.js";

/**
 * The removal of all keys of a class from a tier, because more single removals have failed than are
 * kept. A storage without `scan` cannot do it. Then it ends when each old entry has expired.
 */
export class ClassRemoval extends FailedRemoval {
  readonly #owed: OwedRemoval;
  /** The time, on our clock, at which the last old entry has expired. */
  readonly #expired: number;

  constructor(owed: OwedRemoval, expired: number) {
    super();
    this.#owed = owed;
    this.#expired = expired;
  }

  override get isDue(): boolean {
    const { storage } = this.#owed.destination;
    if (storage.storage.scan === undefined && storage.now() < this.#expired) return false;
    return !this.#owed.right.some(({ classRemoval }) => classRemoval !== undefined);
  }

  override replay(done: (error: Error | undefined) => void): void {
    const { storage } = this.#owed.destination;
    const removed = (error: Error | undefined) => {
      if (error === undefined) this.#end();
      done(error);
    };
    removeMatching(storage, this.#owed.activities.pattern).then(
      () => removed(undefined),
      (thrown: unknown) => removed(asError(thrown)),
    );
  }

  #end(): void {
    this.#owed.destination.classRemoval = undefined;
    this.succeed();
    this.#owed.activities.pokeReplays();
  }
}
