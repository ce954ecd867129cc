import { FailedRemoval } from "../tiers/guarded/failed-removal.js";
import type { Activities } from "./activities.js";
import type { Destination } from "./destination.js";

/** The removal of a key that did not reach a tier. */
export class KeyRemoval extends FailedRemoval {
  readonly #key: string;
  readonly #activities: Activities;
  readonly #destination: Destination;
  /** The tiers on the right: one of them may refill this one. */
  readonly #right: readonly Destination[];

  constructor(key: string, activities: Activities, destination: Destination, right: readonly Destination[]) {
    super();
    this.#key = key;
    this.#activities = activities;
    this.#destination = destination;
    this.#right = right;
  }

  override get isDue(): boolean {
    return !this.#right.some((destination) => destination.distrusts(this.#key));
  }

  /**
   * Removes the key behind the key's other writes and removals. If a newer value was written
   * before, that costs a miss.
   */
  override replay(done: (error: Error | undefined) => void): void {
    const destination = this.#destination;
    this.#activities.of(this.#key).remove(
      { destination },
      {
        done: (error) => {
          if (error === undefined && this.isDue) {
            destination.distrust.remove(this.#key);
            this.#activities.pokeReplays();
          }
          done(error);
        },
      },
    );
  }
}
