import { asError } from "../errors.js";
import { FailedRemoval } from "../tiers/guarded/failed-removal.js";
import { removeMatching } from "../tiers/remove-matching.js";
import type { Activities } from "./activities.js";
import type { Destination } from "./destination.js";

/**
 * The removal of all keys of a class from a tier, because more single removals have failed than are
 * kept. A storage without `scan` cannot do it. Then it ends when each old entry has expired.
 */
export class ClassRemoval extends FailedRemoval {
  readonly #activities: Activities;
  readonly #destination: Destination;
  readonly #right: readonly Destination[];
  /** The time, on our clock, at which the last old entry has expired. */
  readonly #expired: number;

  constructor(
    activities: Activities,
    destination: Destination,
    right: readonly Destination[],
    expired: number,
  ) {
    super();
    this.#activities = activities;
    this.#destination = destination;
    this.#right = right;
    this.#expired = expired;
  }

  override get isDue(): boolean {
    const { storage } = this.#destination;
    if (storage.storage.scan === undefined && storage.now() < this.#expired) return false;
    return !this.#right.some(({ classRemoval }) => classRemoval !== undefined);
  }

  override replay(done: (error: Error | undefined) => void): void {
    const { storage } = this.#destination;
    const removed = (error: Error | undefined) => {
      if (error === undefined) this.#end();
      done(error);
    };
    removeMatching(storage, this.#activities.pattern).then(
      () => removed(undefined),
      (thrown: unknown) => removed(asError(thrown)),
    );
  }

  #end(): void {
    this.#destination.classRemoval = undefined;
    this.succeed();
    this.#activities.pokeReplays();
  }
}
