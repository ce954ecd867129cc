import { classFingerprint } from "../entry/envelope.js";
import { BloomFilter } from "../node/doorkeeper.js";
import { escapedPrefix, storageKey } from "../node/key.js";
import type { ResolvedMeta } from "../node/meta.js";
import { nextLocalSpace } from "../shared-state.js";
import { StatsCounter } from "../stats/node-stats.js";
import type { LocalStorage } from "../storage/local-storage.js";
import type { Registered } from "../tiers/registered.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import { Activities } from "./activities.js";
import { Distrust } from "./distrust.js";
import { nextBirth } from "./operation.js";

/** One of a kind's local tiers. */
export interface LocalTier {
  readonly kind: "local";
  /** Its place among the kind's tiers. */
  readonly index: number;
  readonly name: string;
  /** Milliseconds; `Infinity` where the tier has no ttl. */
  readonly ttl: number;
  readonly storage: LocalStorage;
}

/** One of a kind's remote tiers. */
export interface RemoteTier {
  readonly kind: "remote";
  readonly index: number;
  readonly name: string;
  readonly ttl: number;
  readonly storage: RemoteBatch;
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
  /** What is under way, by key. */
  readonly activities: Activities;
  /** Whether another kind has its name now. Then its loads store nothing: nobody could overtake them. */
  isReplaced = false;
  readonly #beforeKey: string;
  readonly #afterKey: string;

  constructor(
    meta: ResolvedMeta,
    name: string,
    prefix: string,
    storages: readonly { readonly registered: Registered; readonly ttl: number | undefined }[],
    older: NodeKind | undefined,
  ) {
    this.meta = meta;
    this.name = name;
    this.space = nextLocalSpace();
    this.fingerprint = classFingerprint(name, meta.version);
    this.tiers = storages.map(({ registered, ttl = Number.POSITIVE_INFINITY }, index) =>
      registered.kind === "local"
        ? { kind: "local", index, name: registered.name, ttl, storage: registered.storage }
        : {
            kind: "remote",
            index,
            name: registered.name,
            ttl,
            storage: registered,
            distrust: older?.distrustOf(registered) ?? new Distrust(),
          },
    );
    this.localTiers = this.tiers.filter((tier) => tier.kind === "local");
    this.remoteTiers = this.tiers.filter((tier) => tier.kind === "remote");
    this.doorkeeper = meta.doorkeeper === undefined ? undefined : new BloomFilter(meta.doorkeeper, name);
    this.stats = new StatsCounter(this.tiers.map((tier) => tier.name));
    this.activities = new Activities(this);
    this.#beforeKey = `${escapedPrefix(prefix)}:${name}:`;
    this.#afterKey = `:${meta.version}`;
  }

  /** Returns the key under which a node of the kind is stored in remote storages. */
  storageKey(key: string): string {
    return storageKey(this.#beforeKey, key, this.#afterKey);
  }

  /** The keys for which a storage is not read: what was not reached stays so, whatever replaces the kind. */
  distrustOf(storage: RemoteBatch): Distrust | undefined {
    return this.remoteTiers.find((tier) => tier.storage === storage)?.distrust;
  }

  /** Another kind takes the name over. What began before stores nothing any more. */
  replace(now: number): void {
    this.isReplaced = true;
    this.activities.distrustMutating(now);
    this.activities.fenceOlderThan(nextBirth());
    this.clearLocally();
  }

  /** Drops the kind's entries from its local tiers, or from the one of that name. They take nothing of what is under way. */
  clearLocally(storage?: string): void {
    this.activities.clear();
    for (const tier of this.localTiers) {
      if (storage === undefined || tier.name === storage) tier.storage.clear(this.space);
    }
  }
}
