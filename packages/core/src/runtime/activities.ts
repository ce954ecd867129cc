import type { RemoteBatch } from "../tiers/remote-batch.js";
import { Destination } from "./destination.js";
import { KeyActivity } from "./key-activity.js";

/** So many activities may rest beside a few that do not. */
const mostResting = 1_000;

/**
 * What is under way for the nodes of one name and version, by key. Bounded by what is under way.
 *
 * Successive kinds share it: a class that was evaluated again, or whose storage was replaced, uses the same keys of the same
 * servers, so its writes queue behind those of its predecessor.
 */
export class Activities {
  readonly #storageKey: (key: string) => string;
  #byKey = new Map<string, KeyActivity>();
  /** How many of the activities rest. */
  #resting = 0;
  /** By the storage's name. */
  readonly #destinations = new Map<string, Destination>();
  /** Whether the space is being closed. */
  isClosed = false;

  /** @param storageKey returns the key in remote storages */
  constructor(storageKey: (key: string) => string) {
    this.#storageKey = storageKey;
  }

  /** How many keys have something under way. */
  get size(): number {
    return this.#byKey.size - this.#resting;
  }

  /** Returns the key in remote storages. */
  storageKey(key: string): string {
    return this.#storageKey(key);
  }

  /** Returns the destination of that name. From now on requests go to the given storage. */
  destination(storage: RemoteBatch): Destination {
    const known = this.#destinations.get(storage.name);
    if (known !== undefined) {
      known.storage = storage;
      return known;
    }
    const destination = new Destination(this.#destinations.size, storage);
    this.#destinations.set(storage.name, destination);
    return destination;
  }

  /** The key's activity; a new one if nothing is under way for it. */
  of(key: string): KeyActivity {
    const known = this.#byKey.get(key);
    if (known === undefined) {
      const activity = new KeyActivity(this, key);
      this.#byKey.set(key, activity);
      return activity;
    }
    if (known.isResting) {
      known.isResting = false;
      this.#resting -= 1;
    }
    return known;
  }

  /** The key's activity, if something is under way for it. */
  find(key: string): KeyActivity | undefined {
    const known = this.#byKey.get(key);
    return known?.isResting ? undefined : known;
  }

  /**
   * Drops the activities that rest, now and then: all at once if nothing is under way, as nearly always after a batch. To delete
   * each by itself would cost as much as the rest of what is done for its key.
   */
  rested(): void {
    this.#resting += 1;
    if (this.#resting < this.#byKey.size) {
      if (this.#resting < mostResting || this.#resting * 2 < this.#byKey.size) return;
      this.#byKey = new Map([...this.#byKey].filter(([, { isResting }]) => !isResting));
    } else this.#byKey = new Map();
    this.#resting = 0;
  }

  /** The local tiers are cleared: they take nothing of what is under way. */
  clear(): void {
    for (const { operations } of [...this.#byKey.values()]) operations.clear();
  }

  /** Distrusts the tiers for each key that is being written or removed, until a write or a removal has succeeded. */
  distrustMutating(now: number): void {
    for (const { isMutating, key } of this.#byKey.values()) {
      if (!isMutating) continue;
      for (const { distrust } of this.#destinations.values()) distrust.add(key, now);
    }
  }

  /** Lets no load store its value any more, and settles when the writes and removals that were asked for have been answered. */
  async finish(): Promise<void> {
    this.isClosed = true;
    await Promise.all(Array.from(this.#byKey.values(), (activity) => activity.mutated()));
  }
}
