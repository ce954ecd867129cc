import { classFingerprint } from "../entry/envelope.js";
import { BloomFilter } from "../node/doorkeeper.js";
import type { ResolvedMeta } from "../node/meta.js";
import { nextLocalSpace } from "../shared-state.js";
import { StatsCounter } from "../stats/node-stats.js";
import type { LocalStorage } from "../storage/local-storage.js";
import type { Registered } from "../tiers/registered.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import type { Activities } from "./activities.js";
import type { Destination } from "./destination.js";
import type { Distrust } from "./distrust.js";

/** One of a kind's local tiers. */
export interface LocalTier {
  readonly kind: "local";
  /** Its place among the kind's tiers. */
  readonly index: number;
  readonly name: string;
  /** Milliseconds; `Infinity` if the tier has no ttl. */
  readonly ttl: number;
  readonly storage: LocalStorage;
}

/** One of a kind's remote tiers. */
export interface RemoteTier {
  readonly kind: "remote";
  readonly index: number;
  readonly name: string;
  readonly ttl: number;
  /** What the tier is read from. */
  readonly storage: RemoteBatch;
  /** Where its writes and removals go. */
  readonly destination: Destination;
  /** The keys for which the tier is not read. */
  readonly distrust: Distrust;
}

export type Tier = LocalTier | RemoteTier;

/**
 * One kind of cached thing as one `Cacheme` runs it: the checked policy, the storages behind the names, what is under way, the
 * counters. All classes of one name share it.
 */
export class NodeKind {
  readonly meta: ResolvedMeta;
  /** The name that keys, events, errors and statistics use. */
  readonly name: string;
  /** Keeps the kind's keys apart from others' in a local storage. */
  readonly space: number;
  /** Marks the kind's entries in remote storages. */
  readonly fingerprint: number;
  readonly tiers: readonly Tier[];
  readonly localTiers: readonly LocalTier[];
  readonly remoteTiers: readonly RemoteTier[];
  readonly doorkeeper: BloomFilter | undefined;
  readonly stats: StatsCounter;
  /** What is under way, by key. Kinds that succeed each other share it. */
  readonly activities: Activities;
  /** The kind that has its name now, if it was replaced. Then its loads store nothing. */
  #successor: NodeKind | undefined;

  constructor(
    meta: ResolvedMeta,
    name: string,
    storages: readonly { readonly registered: Registered; readonly ttl: number | undefined }[],
    activities: Activities,
  ) {
    this.meta = meta;
    this.name = name;
    this.space = nextLocalSpace();
    this.fingerprint = classFingerprint(name, meta.version);
    this.tiers = storages.map(({ registered, ttl = Number.POSITIVE_INFINITY }, index) => {
      const { name } = registered;
      if (registered.kind === "local")
        return { kind: "local", index, name, ttl, storage: registered.storage };
      const destination = activities.destination(registered);
      const { distrust } = destination;
      return { kind: "remote", index, name, ttl, storage: registered, destination, distrust };
    });
    this.localTiers = this.tiers.filter((tier) => tier.kind === "local");
    this.remoteTiers = this.tiers.filter((tier) => tier.kind === "remote");
    this.doorkeeper = meta.doorkeeper === undefined ? undefined : new BloomFilter(meta.doorkeeper, name);
    this.stats = new StatsCounter(this.tiers.map((tier) => tier.name));
    this.activities = activities;
  }

  /** Returns the key under which a node of the kind is stored in remote storages. */
  storageKey(key: string): string {
    return this.activities.storageKey(key);
  }

  /** Notes that the tier could not be reached and may hold an older value, and so may give it to the tiers on its left. */
  distrust(tier: RemoteTier, key: string, now: number): void {
    for (const each of this.remoteTiers) if (each.index <= tier.index) each.distrust.add(key, now);
  }

  /** Notes that a write or a removal has reached the tier. A tier on its right that was not reached may still refill it. */
  trust(tier: RemoteTier, key: string): void {
    const isRefilled = this.remoteTiers.some(
      ({ index, distrust }) => index > tier.index && distrust.has(key),
    );
    if (!isRefilled) tier.distrust.remove(key);
  }

  get isReplaced(): boolean {
    return this.#successor !== undefined;
  }

  /** The kind that has its name now. */
  get latest(): NodeKind {
    let latest: NodeKind = this;
    while (latest.#successor !== undefined) latest = latest.#successor;
    return latest;
  }

  /** Another kind takes the name over. Loads that run answer those who asked for them, and no one else. */
  replaceBy(successor: NodeKind, now: number): void {
    this.#successor = successor;
    this.activities.distrustMutating(now);
    this.clearLocally();
  }

  /** Drops the key's entries from the local tiers. */
  removeLocally(key: string): void {
    for (const { storage } of this.localTiers) storage.remove(this.space, key);
  }

  /** Drops the kind's entries from its local tiers, or from the one of that name. They take nothing of what is under way. */
  clearLocally(storage?: string): void {
    this.activities.clear();
    for (const tier of this.localTiers) {
      if (storage === undefined || tier.name === storage) tier.storage.clear(this.space);
    }
  }
}
