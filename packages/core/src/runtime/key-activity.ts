import type { Activities } from "./activities.js";
import { Flights } from "./flights.js";
import type { RemoteTier } from "./node-kind.js";
import { Operations } from "./operations.js";
import { type Mutation, type Write, WriteQueue } from "./write-queue.js";

/** The operations under way for one key. It is dropped when there are none. */
export class KeyActivity {
  readonly key: string;
  readonly operations: Operations = new Operations();
  readonly flights: Flights = new Flights();
  readonly #activities: Activities;
  #storageKey: string | undefined;
  /** The write queues by the tier's destination. */
  #queues: (WriteQueue | undefined)[] | undefined;
  /**
   * The number of unfinished removals and replacements of each tier, by its destination. Such a
   * tier is not read.
   */
  #unsettled: number[] | undefined;
  #busyQueues = 0;
  #whenMutated: (() => void)[] | undefined;
  /** Whether nothing is under way, so that the activity may be dropped or used again. */
  isResting = false;
  /** A number that changes whenever writes or removals begin, and when they have been answered. */
  mutations = 0;

  constructor(activities: Activities, key: string) {
    this.#activities = activities;
    this.key = key;
  }

  /** The key in remote storages. */
  get storageKey(): string {
    this.#storageKey ??= this.#activities.storageKey(this.key);
    return this.#storageKey;
  }

  /** Returns whether the tier's answer for the key may have been replaced or removed. */
  distrusts(tier: RemoteTier): boolean {
    return (this.#unsettled?.[tier.destination.index] ?? 0) > 0 || tier.distrust.has(this.key);
  }

  /** Distrusts the tier until {@link settle} is called. */
  unsettle({ destination: { index } }: RemoteTier): void {
    this.#unsettled ??= [];
    this.#unsettled[index] = (this.#unsettled[index] ?? 0) + 1;
  }

  settle({ destination: { index } }: RemoteTier): void {
    if (this.#unsettled !== undefined) {
      this.#unsettled[index] = Math.max(0, (this.#unsettled[index] ?? 0) - 1);
    }
  }

  /** Whether a tier's entry is being written, replaced or removed. */
  get isMutating(): boolean {
    return this.#busyQueues > 0 || (this.#unsettled?.some((count) => count > 0) ?? false);
  }

  /** Returns whether a new mutation of the tier must wait for another one. */
  mustWait(tier: RemoteTier): boolean {
    return this.#queues?.[tier.destination.index]?.isBusy ?? false;
  }

  /** Returns whether a new mutation of one of the tiers must wait. */
  mustWaitForOne(tiers: readonly RemoteTier[]): boolean {
    return this.#busyQueues > 0 && tiers.some((tier) => this.mustWait(tier));
  }

  write(tier: RemoteTier, write: Write): void {
    this.#queueOf(tier).write(write);
  }

  remove(tier: Pick<RemoteTier, "destination">, removal: Mutation): void {
    this.#queueOf(tier).remove(removal);
  }

  #queueOf({ destination }: Pick<RemoteTier, "destination">): WriteQueue {
    let queue = this.#queues?.[destination.index];
    if (queue === undefined) {
      queue = new WriteQueue(destination, this.storageKey, () => this.#queueIsIdle());
      // A literal has room for one item, but an assignment beyond the end makes room for 17.
      if (this.#queues === undefined && destination.index === 0) this.#queues = [queue];
      else {
        this.#queues ??= [];
        this.#queues[destination.index] = queue;
      }
    }
    if (!queue.isBusy) this.#busyQueues += 1;
    this.mutations += 1;
    return queue;
  }

  /** Records that a journal has a newer value than what any operation has read so far. */
  saved(birth: number): void {
    this.operations.fenceOlderThan(birth);
    this.mutations += 1;
    for (const flight of this.flights.all) {
      if (flight.state !== "gathered") continue;
      // It may stand in line for its load, which would read what is older than the journal.
      flight.cleared = true;
      this.flights.closes(flight);
    }
  }

  /** Lets the activity rest if nothing is under way any more. */
  rest(): void {
    if (this.#busyQueues > 0 || !this.operations.isEmpty || this.isResting) return;
    this.isResting = true;
    this.#activities.rested();
  }

  /** Settles when no mutation is under way or waits. */
  mutated(): Promise<void> {
    if (this.#busyQueues === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenMutated ??= [];
      this.#whenMutated.push(resolve);
    });
  }

  #queueIsIdle(): void {
    this.mutations += 1;
    this.#busyQueues -= 1;
    if (this.#busyQueues > 0) return;
    for (const mutated of this.#whenMutated ?? []) mutated();
    this.#whenMutated = undefined;
    this.rest();
  }
}
