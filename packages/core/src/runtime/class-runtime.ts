import type { BloomFilter } from "../node/doorkeeper.js";
import { checkedKey } from "../node/key.js";
import type { ResolvedMeta } from "../node/meta.js";
import type { LoadAllContext, Node, NodeClass } from "../node/node.js";
import type { IdleTime } from "../node/policy/idle.js";
import type { MaybePromise } from "../node/value-of.js";
import type { StatsCounter } from "../stats/node-stats.js";
import type { TagTable } from "../tags/tag-table.js";
import type { BulkSave } from "./bulk-save.js";
import type { Flight } from "./flight.js";
import type { LocalTier, NodeKind, RemoteTier, Tier } from "./node-kind.js";
import type { NodeScope } from "./node-scope.js";
import type { NodeTags } from "./node-tags.js";
import type { RefreshAhead } from "./refresh-ahead.js";
import type { Staleness } from "./staleness.js";
import type { UnsavedValues } from "./unsaved-values.js";

/** A class's static `loadAll`, bound to the class. */
export type BulkLoad = (nodes: readonly Node[], context: LoadAllContext) => MaybePromise<readonly unknown[]>;

/** The parts of a class that load and save many values. */
export type ClassCalls = Pick<ClassRuntime, "loadAll" | "saveAll" | "unsaved">;

/** The parts of a class that invalidate its values in groups. */
export type ClassTagging = Pick<ClassRuntime, "nodeTags" | "scope" | "tags">;

/**
 * A node class as one `Cacheme` runs it: its {@link NodeKind}, and the class's own functions. A
 * class that was evaluated twice has two runtimes of one kind.
 *
 * The kind's fields are copied, because fewer steps on the way to them speed up a hit.
 */
export class ClassRuntime {
  readonly kind: NodeKind;
  /** The `constructor` of the nodes. */
  readonly nodeClass: NodeClass;
  readonly prototype: object;
  readonly loadAll: BulkLoad | undefined;
  readonly saveAll: BulkSave | undefined;
  /** The values that are not in their source yet, of a class that writes behind. */
  readonly unsaved: UnsavedValues | undefined;
  readonly meta: ResolvedMeta;
  readonly name: string;
  readonly space: number;
  readonly fingerprint: number;
  readonly tiers: readonly Tier[];
  readonly localTiers: readonly LocalTier[];
  /** The first local tier, if there is one. Nearly every hit ends there. */
  readonly nearest: LocalTier | undefined;
  readonly remoteTiers: readonly RemoteTier[];
  /** Whether a request keeps the values that it reads. */
  readonly isPerRequest: boolean;
  /** Whether a hit needs nothing but the nearest local tier; see {@link NodeKind.isPlain}. */
  isPlain: boolean;
  readonly doorkeeper: BloomFilter | undefined;
  readonly stats: StatsCounter;
  /** The use of stale values; `undefined` for a class that loads nothing in the background. */
  readonly staleness: Staleness | undefined;
  /** The loading of values before they expire; `undefined` for a class that does not. */
  readonly ahead: RefreshAhead | undefined;
  /** The idle time; `undefined` for a class whose reads do not change how long a value is kept. */
  readonly idle: IdleTime | undefined;
  /** The tags of the class's nodes; `undefined` for a class without tags. */
  readonly nodeTags: NodeTags | undefined;
  /** The scope of the class's nodes; `undefined` for a class without scopes. */
  readonly scope: NodeScope | undefined;
  /** The tags of the space. */
  readonly tags: TagTable;
  /** The flight that several readers joined last, so that the next ones find it by its key at once. */
  crowd: Flight | undefined;

  constructor(
    kind: NodeKind,
    nodeClass: NodeClass,
    prototype: object,
    { loadAll, saveAll, unsaved }: ClassCalls,
    { nodeTags, scope, tags }: ClassTagging,
  ) {
    this.kind = kind;
    this.nodeClass = nodeClass;
    this.prototype = prototype;
    this.loadAll = loadAll;
    this.saveAll = saveAll;
    this.unsaved = unsaved;
    this.meta = kind.meta;
    this.name = kind.name;
    this.space = kind.space;
    this.fingerprint = kind.fingerprint;
    this.tiers = kind.tiers;
    this.localTiers = kind.localTiers;
    this.nearest = kind.localTiers[0];
    this.remoteTiers = kind.remoteTiers;
    this.isPerRequest = kind.meta.isPerRequest;
    this.isPlain = kind.isPlain;
    kind.addRuntime(this);
    this.doorkeeper = kind.doorkeeper;
    this.stats = kind.stats;
    this.staleness = kind.staleness;
    this.ahead = kind.ahead;
    this.idle = kind.meta.idle;
    this.nodeTags = nodeTags;
    this.scope = scope;
    this.tags = tags;
    this.crowd = undefined;
  }

  /**
   * Returns the node's key, with its scope, checked.
   *
   * @throws KeyError `CACHEME_INVALID_KEY`; ConfigurationError `CACHEME_MISSING_SCOPE`
   */
  keyOf(node: Node): string {
    return this.scope === undefined ? checkedKey(node.key(), this.name) : this.scope.keyOf(node);
  }

  /** Returns the key under which a node of the class is stored in remote storages. */
  storageKey(key: string): string {
    return this.kind.storageKey(key);
  }
}
