import { BloomFilter } from "../doorkeeper.js";
import { classFingerprint } from "../entry/envelope.js";
import { storageKey } from "../node/key.js";
import type { ResolvedMeta } from "../node/meta.js";
import type { LoadAllContext, Node, NodeClass } from "../node/node.js";
import type { MaybePromise } from "../node/value-of.js";
import { StatsCounter } from "../stats/node-stats.js";
import type { LocalStorage } from "../storage/local-storage.js";
import type { Registered, RegisteredRemote } from "../storage/registered.js";
import { Operations } from "./operation.js";

/** One of a class's local tiers. */
export interface LocalTier {
  readonly kind: "local";
  /** Its place among the class's tiers. */
  readonly index: number;
  readonly name: string;
  /** Milliseconds; `Infinity` where the tier has no ttl. */
  readonly ttl: number;
  readonly storage: LocalStorage;
}

/** One of a class's remote tiers. */
export interface RemoteTier {
  readonly kind: "remote";
  readonly index: number;
  readonly name: string;
  readonly ttl: number;
  readonly storage: RegisteredRemote;
}

export type Tier = LocalTier | RemoteTier;

type BulkLoad = (nodes: readonly Node[], context: LoadAllContext) => MaybePromise<readonly unknown[]>;

/**
 * A node class as one `Cacheme` runs it: the checked policy, the storages behind the names, what is under way, the counters.
 * Made once, at the first use of the class.
 */
export class Plan {
  /** What this was made for: the `constructor` of its nodes. */
  readonly nodeClass: NodeClass;
  readonly prototype: object;
  readonly meta: ResolvedMeta;
  readonly name: string;
  /** Keeps the class's keys apart from others' in a local storage. */
  readonly space: number;
  /** Marks the class's entries in remote storages. */
  readonly fingerprint: number;
  readonly tiers: readonly Tier[];
  readonly localTiers: readonly LocalTier[];
  /** The first of the local tiers, where there is one: nearly every hit ends there. */
  readonly nearest: LocalTier | undefined;
  readonly remoteTiers: readonly RemoteTier[];
  readonly loadAll: BulkLoad | undefined;
  readonly doorkeeper: BloomFilter | undefined;
  readonly stats: StatsCounter;
  readonly operations: Operations = new Operations();
  readonly #beforeKey: string;
  readonly #afterKey: string;

  constructor(
    nodeClass: NodeClass,
    prototype: object,
    meta: ResolvedMeta,
    loadAll: BulkLoad | undefined,
    prefix: string,
    space: number,
    storages: readonly { readonly registered: Registered; readonly ttl: number | undefined }[],
  ) {
    this.nodeClass = nodeClass;
    this.prototype = prototype;
    this.meta = meta;
    this.name = meta.name;
    this.space = space;
    this.fingerprint = classFingerprint(meta.name, meta.version);
    this.tiers = storages.map(({ registered, ttl = Number.POSITIVE_INFINITY }, index) =>
      registered.kind === "local"
        ? { kind: "local", index, name: registered.name, ttl, storage: registered.storage }
        : { kind: "remote", index, name: registered.name, ttl, storage: registered },
    );
    this.localTiers = this.tiers.filter((tier) => tier.kind === "local");
    this.nearest = this.localTiers[0];
    this.remoteTiers = this.tiers.filter((tier) => tier.kind === "remote");
    this.loadAll = loadAll;
    this.doorkeeper = meta.doorkeeper === undefined ? undefined : new BloomFilter(meta.doorkeeper, meta.name);
    this.stats = new StatsCounter(this.tiers.map((tier) => tier.name));
    this.#beforeKey = `${prefix}:${meta.name}:`;
    this.#afterKey = `:${meta.version}`;
  }

  /** The key under which a node of the class stands in remote storages. */
  storageKey(key: string): string {
    return storageKey(this.#beforeKey, key, this.#afterKey);
  }
}
