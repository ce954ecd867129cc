import type { Distrust } from "../tiers/distrust.js";
import { FailedRemoval } from "../tiers/guarded/failed-removal.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";

/** The invalidation of one tag that did not reach a storage, or one on its right. */
export interface FailedTag {
  readonly name: string;
  readonly storage: RemoteBatch;
  /** The tags of the storage that are distrusted. */
  readonly distrust: Distrust;
  /** The distrusted tags of the storages on the right, which may refill this one. */
  readonly right: readonly Distrust[];
  /** The time on our clock. */
  readonly now: number;
  /** Repeats the invalidation in the storage. */
  readonly repeat: (done: (error: Error | undefined) => void) => void;
}

/**
 * Distrusts a storage's entries of a tag, and repeats the invalidation until it succeeds. If too
 * many are repeated already, every tagged entry that was written up to now is distrusted instead.
 *
 * @returns settles when the invalidation has succeeded; `undefined` if it is not repeated
 */
export function distrustTag(failed: FailedTag): Promise<void> | undefined {
  const { name, distrust, now } = failed;
  const { replays } = failed.storage.latest;
  const known = distrust.removalOf(name);
  if (known !== undefined) return known.settled;
  if (replays.isFull) {
    distrust.addAll(now);
    return undefined;
  }
  const replay = new TagReplay(failed);
  distrust.add(name, now, replay);
  replays.add(replay);
  return replay.settled;
}

class TagReplay extends FailedRemoval {
  readonly #failed: FailedTag;

  constructor(failed: FailedTag) {
    super();
    this.#failed = failed;
  }

  override get isDue(): boolean {
    const { name, right } = this.#failed;
    return !right.some((distrust) => distrust.has(name));
  }

  override replay(done: (error: Error | undefined) => void): void {
    const { name, distrust, repeat } = this.#failed;
    repeat((error) => {
      if (error === undefined && this.isDue) distrust.remove(name);
      done(error);
    });
  }
}
