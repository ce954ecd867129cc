import { FailedRemoval } from "../tiers/guarded/failed-removal.js";
import type { OwedRemoval } from "./owed-removal.js";

/** The removal of a key that did not reach a tier. */
export class KeyRemoval extends FailedRemoval {
  readonly #key: string;
  readonly #owed: OwedRemoval;

  constructor(key: string, owed: OwedRemoval) {
    super();
    this.#key = key;
    this.#owed = owed;
  }

  override get isDue(): boolean {
    return !this.#owed.right.some((destination) => destination.distrusts(this.#key));
  }

  /**
   * Removes the key behind the key's other writes and removals. If a newer value was written
   * before, that costs a miss.
   */
  override replay(done: (error: Error | undefined) => void): void {
    const { activities, destination } = this.#owed;
    activities.of(this.#key).remove(
      { destination },
      {
        done: (error) => {
          if (error === undefined && this.isDue) {
            destination.distrust.remove(this.#key);
            activities.pokeReplays();
          }
          done(error);
        },
      },
    );
  }
}
