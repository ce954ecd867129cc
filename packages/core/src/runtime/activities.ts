import { storageKey } from "../node/key.js";
import { KeyPattern } from "../storage/key-pattern.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import { Destination } from "./destination.js";
import { KeyActivity } from "./key-activity.js";
import type { RemoteTier } from "./node-kind.js";

/** Reads that need no more than a plain hit. They become flights when anything else needs their keys. */
export interface FlightlessReads {
  /** The number of keys. */
  readonly size: number;
  /** Makes a flight of the read of the key, if there is one. */
  open(key: string): void;
  openAll(): void;
}

/** The number of activities that may rest beside a few that do not. */
const mostResting = 1_000;

/**
 * The most {@link FlightlessReads} under way. A lookup of a key asks each of them, and a slow storage
 * adds one in each tick.
 */
const mostPlainReads = 16;

/**
 * The operations under way for the nodes of one name and version, by key. Their number bounds its
 * size.
 *
 * Successive kinds share it. A class that was evaluated again, or whose storage was replaced, uses
 * the same keys of the same servers. So its writes queue behind those of its predecessor.
 */
export class Activities {
  readonly #before: string;
  readonly #after: string;
  #byKey = new Map<string, KeyActivity>();
  /** The number of activities that rest. */
  #resting = 0;
  readonly #plainReads: FlightlessReads[] = [];
  /** The destinations by the storage's name. */
  readonly #destinations = new Map<string, Destination>();
  /** Whether the space is being closed. */
  isClosed = false;

  /** @param before and after the parts of a key in remote storages that are the same for all */
  constructor(before: string, after: string) {
    this.#before = before;
    this.#after = after;
  }

  /** The pattern of all keys in remote storages. */
  get pattern(): KeyPattern {
    return KeyPattern.of(this.#before, this.#after);
  }

  /** The number of keys with an operation under way. */
  get size(): number {
    const plain = this.#plainReads.reduce((sum, { size }) => sum + size, 0);
    return this.#byKey.size - this.#resting + plain;
  }

  /** Returns the key in remote storages. */
  storageKey(key: string): string {
    return storageKey(this.#before, key, this.#after);
  }

  /** Returns the destination of that name. From now on requests go to the given storage. */
  destination(storage: RemoteBatch): Destination {
    const known = this.#destinations.get(storage.name);
    if (known !== undefined) {
      known.storage = storage;
      return known;
    }
    const destination = new Destination(this.#destinations.size, storage, this);
    this.#destinations.set(storage.name, destination);
    return destination;
  }

  /** Returns the key's activity, or a new one if nothing is under way for it. */
  of(key: string): KeyActivity {
    this.#openPlain(key);
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

  /** Returns the activities of the keys with an operation under way. */
  active(): KeyActivity[] {
    this.#openAllPlain();
    return [...this.#byKey.values()].filter(({ isResting }) => !isResting);
  }

  /** Returns the key's activity, if something is under way for it. */
  find(key: string): KeyActivity | undefined {
    this.#openPlain(key);
    const known = this.#byKey.get(key);
    return known?.isResting ? undefined : known;
  }

  /**
   * Returns whether the tier may be read for a key without a flight. Call {@link find} before, which
   * opens a flight for another read of the key.
   */
  isPlain(key: string, tier: RemoteTier): boolean {
    if (this.#plainReads.length >= mostPlainReads) return false;
    const known = this.#byKey.get(key);
    return known === undefined ? !tier.distrust.has(key) : known.isResting && !known.distrusts(tier);
  }

  /** Adds reads whose keys have no activity until something needs one. */
  begins(reads: FlightlessReads): void {
    this.#plainReads.push(reads);
  }

  /** Removes reads that have been answered or have become flights. */
  ends(reads: FlightlessReads): void {
    this.#plainReads.splice(this.#plainReads.indexOf(reads), 1);
  }

  #openPlain(key: string): void {
    // Backwards, because reads that end leave the list.
    for (let place = this.#plainReads.length - 1; place >= 0; place--) this.#plainReads[place]?.open(key);
  }

  #openAllPlain(): void {
    for (const reads of [...this.#plainReads]) reads.openAll();
  }

  /**
   * Drops the resting activities at intervals. If nothing is under way, as nearly always after a
   * batch, it drops all at once. Deleting each by itself would cost as much as the rest of the work
   * for its key.
   */
  rested(): void {
    this.#resting += 1;
    if (this.#resting < this.#byKey.size) {
      if (this.#resting < mostResting || this.#resting * 2 < this.#byKey.size) return;
      this.#byKey = new Map([...this.#byKey].filter(([, { isResting }]) => !isResting));
    } else this.#byKey = new Map();
    this.#resting = 0;
  }

  /** Fences every operation that was born before the given one. */
  fenceOlderThan(birth: number): void {
    this.#openAllPlain();
    for (const { operations } of [...this.#byKey.values()]) operations.fenceOlderThan(birth);
  }

  /** Does the same because news may have been missed. */
  missOlderThan(birth: number): void {
    for (const { operations } of [...this.#byKey.values()]) operations.missOlderThan(birth);
  }

  /** Keeps operations under way from storing in the local tiers, which are cleared. */
  clear(): void {
    this.#openAllPlain();
    for (const { operations } of [...this.#byKey.values()]) operations.clear();
  }

  /**
   * Distrusts the tiers for each key that is being written or removed, until a write or a removal
   * has succeeded.
   */
  distrustMutating(now: number): void {
    for (const { isMutating, key } of this.#byKey.values()) {
      if (!isMutating) continue;
      for (const { distrust } of this.#destinations.values()) distrust.add(key, now);
    }
  }

  /** Repeats removals that waited for one of a tier on their right. */
  pokeReplays(): void {
    for (const { storage } of this.#destinations.values()) storage.replays.poke();
  }

  /**
   * Lets no load store its value any more. Settles when the requested writes and removals have been
   * answered.
   */
  async finish(): Promise<void> {
    this.isClosed = true;
    await Promise.all(Array.from(this.#byKey.values(), (activity) => activity.mutated()));
  }
}
