import type { BusLink } from "../bus/bus-link.js";
import type { Clock } from "../clock.js";
import { ConfigurationError, closedError } from "../errors.js";
import { defaultName, type ResolvedMeta, resolveMeta } from "../node/meta.js";
import type { Node, NodeClass } from "../node/node.js";
import { isSameDefinition, isSameMinified } from "../node/same-definition.js";
import { StatsCounter } from "../stats/node-stats.js";
import { memory } from "../storages/memory.js";
import { Scopes } from "../tags/scopes.js";
import { TagTable } from "../tags/tag-table.js";
import type { StorageRegistry } from "../tiers/registry.js";
import { Activities } from "./activities.js";
import { bulkCallsOf } from "./bulk-save.js";
import { ClassRuntime } from "./class-runtime.js";
import { taggingOf } from "./class-tagging.js";
import { KeyPrefix } from "./key-prefix.js";
import { checkNameless, duplicateNode, notANode } from "./name-errors.js";
import { NodeKind } from "./node-kind.js";
import { lastBirth, nextBirth } from "./operation.js";
import { placeOf } from "./place-of.js";
import { noUnsavedValues, type UnsavedValues } from "./unsaved-values.js";
import { WeakList } from "./weak-list.js";

/** The name of the memory storage that serves the node classes without `caches`. */
const defaultStorage = "default";

/**
 * The number of classes of one default name that means that a program defines classes again and
 * again.
 */
const manyNamesakes = 100;

/** A class that has been used, as `nodes()` lists it. */
export interface UsedNode {
  /** The name that keys, events, errors and statistics use. */
  readonly name: string;
  /**
   * The class, or the result of `defineNode`. If it was evaluated several times, it is the one that
   * was used first.
   */
  readonly nodeClass: NodeClass;
}

interface Known extends UsedNode {
  readonly kind: NodeKind;
  /** The stack of the class's first use. It becomes a string only if an error needs it. */
  readonly firstUse: Error;
}

/**
 * The runtimes of one `Cacheme`, by node class.
 *
 * A runtime is found through a symbol on the class's prototype, which is faster on a hit than a
 * `WeakMap`. A subclass inherits its parent's symbol, so the runtime's own class is compared. The
 * comparison uses `constructor`, because `Object.getPrototypeOf` is a call into the runtime if V8
 * does not know the object's shape.
 */
export class ClassRuntimes {
  #symbol = Symbol("cacheme runtime");
  readonly #storages: StorageRegistry;
  readonly #clock: Clock;
  readonly #bus: BusLink;
  /**
   * The known classes, in the order of first use. The key is the name, or the prototype of a
   * nameless class.
   */
  readonly #known = new Map<string | object, Known>();
  /** The runtimes by prototype, because a frozen prototype carries no symbol. */
  #byPrototype = new WeakMap<object, ClassRuntime>();
  readonly #prototypes = new WeakList<object>();
  /** The names of the prototypes' classes. */
  readonly #names = new WeakMap<object, string>();
  /** The prototypes of classes that a newer one of their name has replaced. */
  readonly #replaced = new WeakSet<object>();
  readonly #warned = new Set<string>();
  /**
   * The activities by the beginning and the end of a kind's keys, because entries in remote
   * storages outlive the kind.
   */
  readonly #activities = new Map<string, Activities>();
  /** The tags of the space. */
  readonly tags: TagTable;
  /** The levels of scopes of the space. */
  readonly scopes: Scopes = new Scopes();
  /** Whether a class was used whose values depend on other nodes. */
  hasDependents = false;
  readonly keys: KeyPrefix;
  /** Returns the unsaved values in the journal of that name. */
  unsavedIn: (journal: string, node: string) => UnsavedValues = noUnsavedValues;
  #retired = false;

  constructor(storages: StorageRegistry, clock: Clock, prefix: string, bus: BusLink) {
    this.#bus = bus;
    this.#storages = storages;
    this.#clock = clock;
    this.keys = new KeyPrefix(prefix);
    this.tags = new TagTable(
      () => this.keys.beforeTag,
      () => clock.now(),
      lastBirth,
    );
  }

  /** Returns the runtime of the node's class, made at the class's first use. */
  of(node: Node): ClassRuntime {
    // The symbol is this table's own, so no other code has put a value there. Callers without types
    // may pass `undefined`.
    const runtime = (node as (Node & { readonly [symbol: symbol]: ClassRuntime | undefined }) | undefined)?.[
      this.#symbol
    ];
    if (runtime !== undefined && runtime.nodeClass === node.constructor) return runtime;
    return this.#make(node);
  }

  /** Returns the class's counters. A class that was never used gets zeros. */
  statsOf(nodeClass: NodeClass): StatsCounter {
    const kind = this.kindOf(nodeClass);
    if (kind !== undefined) return kind.stats;
    const { caches } = resolveMeta(nodeClass);
    return new StatsCounter(caches?.map(({ storage }) => storage) ?? [defaultStorage]);
  }

  /**
   * Returns the class's kind, or `undefined` if the class was never used.
   *
   * @throws ConfigurationError `CACHEME_INVALID_NODE` for anything but a node class
   */
  kindOf(nodeClass: NodeClass): NodeKind | undefined {
    const given: unknown = nodeClass;
    if (typeof given !== "function" || typeof nodeClass.prototype?.key !== "function")
      throw notANode("a node class", given);
    return this.#byPrototype.get(nodeClass.prototype)?.kind;
  }

  /** Lists the classes in the order of their first use. */
  classes(): UsedNode[] {
    return Array.from(this.#known.values(), ({ name, nodeClass }) => ({ name, nodeClass }));
  }

  *[Symbol.iterator](): IterableIterator<NodeKind> {
    for (const { kind } of this.#known.values()) yield kind;
  }

  get prefix(): string {
    return this.keys.text;
  }

  /** Returns the kind of the classes of that name, if one of them was used. */
  kindNamed(name: string): NodeKind | undefined {
    return this.#known.get(name)?.kind;
  }

  /**
   * Returns the runtime that the node's class has now. If the kind was replaced, it is the runtime
   * in the new kind.
   */
  current(runtime: ClassRuntime, node: Node): ClassRuntime {
    if (!runtime.kind.isReplaced || this.#retired) return runtime;
    try {
      return this.of(node);
    } catch {
      return runtime; // The class cannot be used any more. Its next caller gets the error.
    }
  }

  /**
   * Lets no load store its value any more. Settles when the requested writes and removals have been
   * answered.
   */
  async finish(): Promise<void> {
    await Promise.all(Array.from(this.#activities.values(), (activities) => activities.finish()));
  }

  /**
   * Refuses nodes from now on. Removes the runtimes from the prototypes, which outlive this object.
   */
  retire(): void {
    this.#retired = true;
    this.#detachPlans();
  }

  /**
   * Makes the kinds that use a storage find their storages again, because another one has its name
   * now. Overtakes the kinds' operations under way.
   */
  storageReplaced(storage: string): void {
    this.tags.storageReplaced(nextBirth());
    const concerned = [...this.#known.values()].filter(({ kind }) =>
      kind.tiers.some(({ name }) => name === storage),
    );
    if (concerned.length === 0) return;
    this.#forgetPlans();
    for (const known of concerned) {
      const successor = this.#renew(known, known.nodeClass, resolveMeta(known.nodeClass));
      known.kind.replaceBy(successor, this.#clock.now());
    }
  }

  /** @throws ConfigurationError `CACHEME_PREFIX_IN_USE` once a node class is in use, or a bus */
  setPrefix(prefix: string): void {
    const [first] = this.#known.values();
    const user = this.#bus.isRegistered ? "the bus is registered" : first && `node "${first.name}" is in use`;
    if (user !== undefined && prefix !== this.keys.text) {
      throw new ConfigurationError(
        "CACHEME_PREFIX_IN_USE",
        `The prefix cannot become "${prefix}": ${user} under "${this.keys.text}" already, and invalidations would miss stored ` +
          "entries. Call setPrefix at the program's start, before the first read and before registerBus.",
      );
    }
    this.keys.text = prefix;
  }

  #make(node: Node): ClassRuntime {
    if (this.#retired) throw closedError("A node was read or written");
    const prototype: unknown =
      typeof node === "object" && node !== null ? Object.getPrototypeOf(node) : undefined;
    const nodeClass = node?.constructor;
    if (
      typeof prototype !== "object" ||
      prototype === null ||
      typeof node.key !== "function" ||
      typeof nodeClass !== "function"
    ) {
      throw notANode("a node", node);
    }
    const runtime = this.#byPrototype.get(prototype);
    if (runtime !== undefined) return runtime;
    // A class's constructor is a NodeClass by its shape: `prototype`, `name`, and perhaps `meta`.
    return this.#compile(nodeClass as unknown as NodeClass, prototype, node);
  }

  #compile(nodeClass: NodeClass, prototype: object, node: Node): ClassRuntime {
    const meta = resolveMeta(nodeClass);
    const bulk = bulkCallsOf(nodeClass, meta, node, this);
    const kind = this.#kindFor(nodeClass, prototype, meta);
    if (meta.track || typeof node.dependsOn === "function") this.hasDependents = true;
    const runtime = new ClassRuntime(kind, nodeClass, prototype, bulk, taggingOf(node, kind, this));
    this.#byPrototype.set(prototype, runtime);
    if (!this.#names.has(prototype)) this.#prototypes.add(prototype);
    this.#names.set(prototype, meta.name);
    if (Object.isExtensible(prototype)) {
      Object.defineProperty(prototype, this.#symbol, { value: runtime, configurable: true });
    }
    return runtime;
  }

  /**
   * Returns the kind of a class: that of its name if one source was evaluated twice, else a new
   * one.
   */
  #kindFor(nodeClass: NodeClass, prototype: object, meta: ResolvedMeta): NodeKind {
    const known = this.#known.get(meta.hasName ? meta.name : prototype);
    if (known === undefined) return this.#renew(undefined, nodeClass, meta);
    const isProduction = process.env.NODE_ENV === "production";
    const isOfKind =
      this.#replaced.has(prototype) ||
      known.nodeClass.prototype === prototype ||
      isSameDefinition(known.nodeClass, nodeClass) ||
      (isProduction && isSameMinified(known.nodeClass, nodeClass));
    if (isOfKind) return known.kind;
    if (isProduction) throw duplicateNode(known.name, known.firstUse, new Error("first use"));
    return this.#replace(known, nodeClass, meta);
  }

  /** Lets a newer class of a name take over, as a hot reload needs. */
  #replace(known: Known, nodeClass: NodeClass, meta: ResolvedMeta): NodeKind {
    if (!this.#warned.has(meta.name)) {
      this.#warned.add(meta.name);
      process.emitWarning(
        `Node "${meta.name}" was defined again with another source. The newer definition replaces the older one, whose ` +
          `entries in this process are dropped. If these are two kinds of things, give one of them another name: in ` +
          `production this is the error CACHEME_DUPLICATE_NODE. First used:${placeOf(known.firstUse)}`,
        { type: "CachemeWarning", code: "CACHEME_DUPLICATE_NODE" },
      );
    }
    const successor = this.#renew(known, nodeClass, meta);
    for (const prototype of this.#prototypes) {
      if (this.#names.get(prototype) === meta.name) this.#replaced.add(prototype);
    }
    this.#forgetPlans();
    known.kind.replaceBy(successor, this.#clock.now());
    return successor;
  }

  /** Makes a kind for a class, and puts it in the place of an older one. */
  #renew(older: Known | undefined, nodeClass: NodeClass, meta: ResolvedMeta): NodeKind {
    const name = older?.name ?? (meta.hasName ? meta.name : this.#labelFor(meta.name));
    const storages = meta.caches?.map(({ storage, ttl }) => ({
      registered: this.#storages.get(storage, name),
      ttl,
    })) ?? [{ registered: this.#storages.getOrAdopt(defaultStorage, memory, name), ttl: undefined }];
    if (!meta.hasName) for (const { registered } of storages) checkNameless(name, registered);
    const kind = new NodeKind(meta, name, storages, this.#activitiesOf(name, meta), this.#bus, this.tags);
    const known: Known = { kind, name, nodeClass, firstUse: new Error("first use") };
    this.#known.set(meta.hasName ? name : nodeClass.prototype, known);
    return kind;
  }

  #activitiesOf(name: string, { hasName, keyVersion }: ResolvedMeta): Activities {
    // A class without a name of its own may have the same name as one with a name.
    const identity = `${hasName}:${name}:${keyVersion}`;
    const known = this.#activities.get(identity);
    if (known !== undefined) return known;
    const beforeKey = `${this.keys.beforeEntry}${name}:`;
    const activities = new Activities(beforeKey, `:${keyVersion}`);
    this.#activities.set(identity, activities);
    return activities;
  }

  /** Tells classes that share a default name apart, in events, errors and statistics. */
  #labelFor(name: string): string {
    const namesakes = [...this.#known].filter(
      ([key, { nodeClass }]) => typeof key === "object" && defaultName(nodeClass) === name,
    ).length;
    if (namesakes === manyNamesakes) {
      process.emitWarning(
        `${manyNamesakes} node classes without a name of their own are called "${name}". Each has its own entries, which no ` +
          "later one finds. Define the class once, outside of the function that uses it, or give its meta a name.",
        { type: "CachemeWarning" },
      );
    }
    return namesakes === 0 ? name : `${name}#${namesakes + 1}`;
  }

  /** Gives every class another runtime at its next use. */
  #forgetPlans(): void {
    this.#detachPlans();
    this.#byPrototype = new WeakMap();
  }

  #detachPlans(): void {
    for (const prototype of this.#prototypes) Reflect.deleteProperty(prototype, this.#symbol);
    // A prototype that was frozen meanwhile keeps the old symbol.
    this.#symbol = Symbol("cacheme runtime");
  }
}
