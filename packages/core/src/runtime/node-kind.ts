import type { BoundClass } from "../bus/bound-class.js";
import type { BusLink } from "../bus/bus-link.js";
import { EntryFormats } from "../entry/entry-formats.js";
import { classFingerprint } from "../entry/envelope.js";
import { BloomFilter } from "../node/doorkeeper.js";
import type { ResolvedMeta } from "../node/meta.js";
import { requestTier } from "../node/policy/request-tier.js";
import { nextLocalSpace } from "../shared-state.js";
import { StatsCounter } from "../stats/node-stats.js";
import type { LocalStorage } from "../storage/local-storage.js";
import { classTag } from "../tags/dependency.js";
import type { TagTable } from "../tags/tag-table.js";
import type { Distrust } from "../tiers/distrust.js";
import type { FailedRemoval } from "../tiers/guarded/failed-removal.js";
import type { Registered } from "../tiers/registered.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import type { Activities } from "./activities.js";
import type { ClassRuntime } from "./class-runtime.js";
import type { Destination } from "./destination.js";
import { checkIdle } from "./idle-storages.js";
import { LearnedReads } from "./learned-reads.js";
import { nextBirth } from "./operation.js";
import { PrefetchedKeys } from "./prefetched-keys.js";
import { RefreshAhead } from "./refresh-ahead.js";
import { spaceIn } from "./saved-space.js";
import { Staleness } from "./staleness.js";
import { WeakList } from "./weak-list.js";

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
  /** The storage from which the tier is read. */
  readonly storage: RemoteBatch;
  /** The destination of its writes and removals. */
  readonly destination: Destination;
  /** The keys for which the tier is not read. */
  readonly distrust: Distrust;
}

export type Tier = LocalTier | RemoteTier;

/**
 * A kind of cached value as one `Cacheme` runs it. It has the checked policy, the storages behind
 * the names, the operations under way, and the counters. All classes of one name share it.
 */
export class NodeKind implements BoundClass {
  readonly meta: ResolvedMeta;
  /** The name that keys, events, errors and statistics use. */
  readonly name: string;
  /** The number that keeps the kind's keys apart from others in a local storage. */
  readonly space: number;
  /** The number of the space for cached errors; `undefined` for a class that keeps none. */
  readonly errorSpace: number | undefined;
  /** The mark of the kind's entries in remote storages. */
  readonly fingerprint: number;
  /** The formats of the entries that it reads. */
  readonly formats: EntryFormats;
  readonly tiers: readonly Tier[];
  readonly localTiers: readonly LocalTier[];
  readonly remoteTiers: readonly RemoteTier[];
  readonly doorkeeper: BloomFilter | undefined;
  readonly stats: StatsCounter;
  /** The use of stale values; `undefined` for a class that loads nothing in the background. */
  readonly staleness: Staleness | undefined;
  /** The loading of values before they expire; `undefined` for a class that does not. */
  readonly ahead: RefreshAhead | undefined;
  /** The nodes that were read after each other; `undefined` for a class that does not learn them. */
  readonly learned: LearnedReads | undefined;
  /** The keys that were loaded in advance. */
  readonly prefetched: PrefetchedKeys;
  readonly #runtimes = new WeakList<ClassRuntime>();
  /** The operations under way, by key. Successive kinds share it. */
  readonly activities: Activities;
  /** The place of the request's tier in the counters of hits; -1 for a class without it. */
  readonly requestPlace: number;
  /** Whether values have tags that the node does not know: their load or their writer told them. */
  tellsTags: boolean;
  readonly busId: string;
  /** Whether the bus keeps the kind's local entries up to date in other processes. */
  readonly isBusBound: boolean;
  readonly #bus: BusLink;
  readonly #tags: TagTable;
  /** The kind that has its name now, if it was replaced. Its own loads then store nothing. */
  #successor: NodeKind | undefined;

  constructor(
    meta: ResolvedMeta,
    name: string,
    storages: readonly { readonly registered: Registered; readonly ttl: number | undefined }[],
    activities: Activities,
    bus: BusLink,
    tags: TagTable,
  ) {
    this.meta = meta;
    this.name = name;
    if (meta.errors !== undefined) this.errorSpace = nextLocalSpace();
    this.fingerprint = classFingerprint(name, meta.version);
    this.formats = new EntryFormats(name, meta);
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
    checkIdle(this);
    this.doorkeeper = meta.doorkeeper === undefined ? undefined : new BloomFilter(meta.doorkeeper, name);
    const names = namesOf(this.tiers, meta);
    this.stats = new StatsCounter(names);
    this.requestPlace = meta.isPerRequest ? names.length - 1 : -1;
    this.tellsTags = meta.track;
    this.ahead = meta.refreshAhead && new RefreshAhead(meta.refreshAhead);
    this.staleness = meta.stale || meta.refreshAhead ? new Staleness(meta.stale) : undefined;
    this.prefetched = new PrefetchedKeys(this.localTiers.length === 0);
    const { learning } = meta.prefetch ?? {};
    if (learning !== undefined) this.learned = new LearnedReads(learning.size);
    this.activities = activities;
    this.busId = `${name}:${meta.keyVersion}`;
    this.isBusBound = meta.hasName && (meta.bus ?? this.localTiers.length > 0);
    this.#bus = bus;
    this.#tags = tags;
    this.space = spaceIn(this, () => this.isBusBound && bus.isRegistered);
  }

  /**
   * The tag of every entry, if a remote storage cannot list its keys. Its generation stands for the
   * removal of the whole class there.
   */
  get classTag(): string | undefined {
    const tiers = this.remoteTiers;
    const isNeeded = tiers.some(({ storage }) => storage.storage.scan === undefined);
    return isNeeded && tiers.every(({ storage }) => storage.generations.isSupported)
      ? classTag(this.name)
      : undefined;
  }

  /** Whether a hit needs nothing but the nearest local tier: no request, and nobody who watches. */
  get isPlain(): boolean {
    return !this.meta.isPerRequest && this.learned === undefined && this.prefetched.isEmpty;
  }

  /** Takes a runtime of the kind. */
  addRuntime(runtime: ClassRuntime): void {
    this.#runtimes.add(runtime);
  }

  /** Lets reads be watched from now on if keys were loaded in advance, and not otherwise. */
  watch(): void {
    const { isPlain } = this;
    for (const runtime of this.#runtimes) runtime.isPlain = isPlain;
  }

  /** Returns the key under which a node of the kind is stored in remote storages. */
  storageKey(key: string): string {
    return this.activities.storageKey(key);
  }

  /**
   * Records that a removal did not reach the tier, which may hold an older value. It may then fill
   * the tiers on its left with that value.
   *
   * @returns the removals that are repeated, of the tier and of those on its left
   */
  distrust(tier: RemoteTier, key: string, now: number): readonly FailedRemoval[] {
    const removals: FailedRemoval[] = [];
    for (const { index, destination, ttl } of this.remoteTiers.toReversed()) {
      if (index > tier.index) continue;
      const right = this.remoteTiers.filter((other) => other.index > index);
      removals.push(
        destination.distrustKey(
          key,
          right.map((other) => other.destination),
          ttl + this.meta.heldFor,
          now,
        ),
      );
    }
    return removals;
  }

  /**
   * Records that a write or a removal has reached the tier. A tier on its right that was not
   * reached may still refill it.
   */
  trust(tier: RemoteTier, key: string): void {
    if (!tier.distrust.has(key)) return;
    const isRefilled = this.remoteTiers.some(
      ({ index, destination }) => index > tier.index && destination.distrusts(key),
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

  /** Lets another kind take the name over. Running loads only answer their own readers. */
  replaceBy(successor: NodeKind, now: number): void {
    this.#successor = successor;
    this.activities.distrustMutating(now);
    this.clearLocally();
  }

  /**
   * Announces to other processes that their local entries of the key are older than the tiers'.
   *
   * @param done called when the news were sent, or could not be sent
   */
  announce(key: string, done: () => void = nothing): void {
    if (this.isBusBound) this.#bus.invalidated(this.busId, key, done);
    else done();
  }

  /** Does the same for every key. */
  announceAll(done: () => void): void {
    if (this.isBusBound) this.#bus.allInvalidated(this.busId, done);
    else done();
  }

  /** Whether the local tiers are not used now, because the bus is down. */
  get bypassesLocalTiers(): boolean {
    return this.isBusBound && this.remoteTiers.length > 0 && this.#bus.isBypassing(this.meta.whenBusDown);
  }

  overtake(key: string): void {
    const birth = nextBirth();
    const operations = this.activities.find(key)?.operations;
    if (this.#isLeased) operations?.clear();
    else operations?.fenceOlderThan(birth);
    this.removeLocally(key);
    this.#tags.invalidatedNode(this.name, key, birth);
  }

  overtakeAll(): void {
    const birth = nextBirth();
    if (!this.#isLeased) this.activities.missOlderThan(birth);
    this.clearLocally();
    this.#tags.invalidatedNodes(this.name, birth);
  }

  /**
   * Whether each remote tier decides by leases what is newer. The bus's news may be older than an
   * operation under way, so they do not fence its fills.
   */
  get #isLeased(): boolean {
    if (this.meta.lease === undefined || this.remoteTiers.length === 0) return false;
    return this.remoteTiers.every(({ storage }) => storage.leases.isSupported);
  }

  /** Drops the key's entries from the local tiers. */
  removeLocally(key: string): void {
    for (const { storage } of this.localTiers) storage.remove(this.space, key);
    this.removeErrors(key);
  }

  /**
   * Drops the kind's entries from its local tiers, or from the tier of that name. Operations under
   * way do not store there.
   */
  clearLocally(storage?: string): void {
    this.activities.clear();
    this.staleness?.backOffs.clear();
    for (const tier of this.localTiers) {
      if (storage !== undefined && tier.name !== storage) continue;
      for (const space of this.spaces) tier.storage.clear(space);
    }
  }

  /** Drops the key's cached error from the local tiers. */
  removeErrors(key: string): void {
    const { errorSpace } = this;
    if (errorSpace === undefined) return;
    for (const { storage } of this.localTiers) storage.remove(errorSpace, key);
  }

  /** The numbers of the spaces of its entries in the local tiers. */
  get spaces(): readonly number[] {
    return this.errorSpace === undefined ? [this.space] : [this.space, this.errorSpace];
  }
}

/** Returns the names of the places that may answer a read: the tiers, the journal, and the request. */
function namesOf(tiers: readonly Tier[], { journal, isPerRequest }: ResolvedMeta): string[] {
  const names = tiers.map(({ name }) => name);
  if (journal !== undefined) names.push(journal);
  if (isPerRequest) names.push(requestTier);
  return names;
}

function nothing(): void {}
