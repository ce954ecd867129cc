import { Flights } from "./flights.js";
import type { NodeKind, RemoteTier } from "./node-kind.js";
import { Operations } from "./operations.js";
import { type Mutation, WriteQueue } from "./write-queue.js";

/** Everything that is under way for one key of one kind. It goes when nothing is. */
export class KeyActivity {
  readonly key: string;
  readonly operations: Operations = new Operations();
  readonly flights: Flights = new Flights();
  readonly #kind: NodeKind;
  #storageKey: string | undefined;
  /** By the tier's place. */
  #queues: (WriteQueue | undefined)[] | undefined;
  /** How many unfinished removals and replacements each tier has, by its place. While there is one, the tier is not read. */
  #unsettled: number[] | undefined;
  #busyQueues = 0;
  readonly #whenMutated: (() => void)[] = [];

  constructor(kind: NodeKind, key: string) {
    this.#kind = kind;
    this.key = key;
  }

  /** The key in remote storages. */
  get storageKey(): string {
    this.#storageKey ??= this.#kind.storageKey(this.key);
    return this.#storageKey;
  }

  /** Whether what the tier answers for the key may have been replaced or removed. */
  distrusts(tier: RemoteTier): boolean {
    return (this.#unsettled?.[tier.index] ?? 0) > 0 || tier.distrust.has(this.key);
  }

  /** Distrusts the tier until {@link settle} is called. */
  unsettle(tier: RemoteTier): void {
    this.#unsettled ??= this.#kind.tiers.map(() => 0);
    this.#unsettled[tier.index] = (this.#unsettled[tier.index] ?? 0) + 1;
  }

  settle(tier: RemoteTier): void {
    if (this.#unsettled !== undefined) {
      this.#unsettled[tier.index] = Math.max(0, (this.#unsettled[tier.index] ?? 0) - 1);
    }
  }

  /** Notes that the tier could not be reached and may hold an older value, and so may give it to the tiers on its left. */
  distrust(tier: RemoteTier, now: number): void {
    for (const each of this.#kind.remoteTiers) if (each.index <= tier.index) each.distrust.add(this.key, now);
  }

  /** Notes that a write or a removal has reached the tier. A tier on its right that was not reached may still refill it. */
  trust(tier: RemoteTier): void {
    const isRefilled = this.#kind.remoteTiers.some(
      ({ index, distrust }) => index > tier.index && distrust.has(this.key),
    );
    if (!isRefilled) tier.distrust.remove(this.key);
  }

  /** Whether a tier's entry is being written, replaced or removed. */
  get isMutating(): boolean {
    return this.#busyQueues > 0 || (this.#unsettled?.some((count) => count > 0) ?? false);
  }

  /** Whether a mutation of the tier that comes now has to wait for another one. */
  mustWait(tier: RemoteTier): boolean {
    return this.#queues?.[tier.index]?.isBusy ?? false;
  }

  mutate(tier: RemoteTier, mutation: Mutation): void {
    this.#queues ??= [];
    let queue = this.#queues[tier.index];
    if (queue === undefined) {
      queue = new WriteQueue(tier.storage, this.storageKey, () => this.#queueIsIdle());
      this.#queues[tier.index] = queue;
    }
    if (!queue.isBusy) this.#busyQueues += 1;
    queue.put(mutation);
  }

  /** Lets the activity go if nothing is under way any more. */
  rest(): void {
    if (this.#busyQueues === 0 && this.operations.isEmpty) this.#kind.activities.remove(this);
  }

  /** Settles when no mutation is on its way or waits. */
  mutated(): Promise<void> {
    if (this.#busyQueues === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenMutated.push(resolve));
  }

  #queueIsIdle(): void {
    this.#busyQueues -= 1;
    if (this.#busyQueues > 0) return;
    for (const mutated of this.#whenMutated.splice(0)) mutated();
    this.rest();
  }
}
