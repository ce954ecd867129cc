import { Distrust } from "../tiers/distrust.js";
import type { FailedRemoval } from "../tiers/guarded/failed-removal.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import type { Activities } from "./activities.js";
import { ClassRemoval } from "./class-removal.js";
import { KeyRemoval } from "./key-removal.js";
import type { OwedRemoval } from "./owed-removal.js";

/**
 * The destination of one remote tier's writes and removals: the storage that has the tier's name
 * now. It outlives each storage and each kind, because several clients of one server may carry out
 * requests in any order.
 */
export class Destination {
  /** Its place among the destinations of the same keys. */
  readonly index: number;
  storage: RemoteBatch;
  /** The keys for which the tier is not read. */
  readonly distrust: Distrust = new Distrust();
  /** The removal of all keys, if too many removals have failed. */
  classRemoval: ClassRemoval | undefined;
  readonly #activities: Activities;

  constructor(index: number, storage: RemoteBatch, activities: Activities) {
    this.index = index;
    this.storage = storage;
    this.#activities = activities;
  }

  /** Returns whether the tier may hold a replaced or removed value of the key. */
  distrusts(key: string): boolean {
    return this.classRemoval !== undefined || this.distrust.has(key);
  }

  /**
   * Distrusts a key whose removal did not reach the tier, and repeats the removal until it does.
   *
   * @param right the tiers on the right, whose removals come first
   * @param ttl how long the tier keeps an entry, in milliseconds
   * @param now the time on our clock
   */
  distrustKey(key: string, right: readonly Destination[], ttl: number, now: number): FailedRemoval {
    const known = this.distrust.removalOf(key);
    if (known !== undefined) return known;
    const { replays } = this.storage;
    const isAll = replays.isFull || right.some(({ classRemoval }) => classRemoval !== undefined);
    if (this.classRemoval !== undefined || isAll) return this.#distrustAll(right, ttl, now);
    const removal = new KeyRemoval(key, this.#owed(right));
    this.distrust.add(key, now, removal);
    replays.add(removal);
    return removal;
  }

  #distrustAll(right: readonly Destination[], ttl: number, now: number): FailedRemoval {
    const { distrust, storage } = this;
    let removal = this.classRemoval;
    if (removal === undefined) {
      removal = new ClassRemoval(this.#owed(right), now + ttl);
      this.classRemoval = removal;
      storage.replays.add(removal);
    }
    for (const single of distrust.removals) single.leaveTo(removal);
    distrust.addAll(now);
    return removal;
  }

  #owed(right: readonly Destination[]): OwedRemoval {
    return { activities: this.#activities, destination: this, right };
  }
}
