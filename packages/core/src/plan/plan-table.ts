import { Buffer } from "node:buffer";
import { ConfigurationError, closedError, typeName } from "../errors.js";
import { resolveMeta } from "../node/meta.js";
import type { Node, NodeClass } from "../node/node.js";
import { StatsCounter } from "../stats/node-stats.js";
import { memory } from "../storage/memory.js";
import type { StorageRegistry } from "../storage/registry.js";
import { Plan } from "./plan.js";

/** The name of the memory storage that serves the node classes without `caches`. */
const defaultStorage = "default";

/** In bytes; with the longest name, version and shortened key that makes less than 200. */
const longestPrefix = 60;

/**
 * The plans of one `Cacheme`, by node class.
 *
 * A plan is found through a symbol on the class's prototype, which costs a hit less than a `WeakMap` does. A subclass
 * inherits its parent's symbol, so the plan's own class is compared (with `constructor`: `Object.getPrototypeOf` is a call into
 * the runtime where V8 does not know the object's shape beforehand).
 */
export class PlanTable {
  #symbol = Symbol("cacheme plan");
  readonly #storages: StorageRegistry;
  readonly #byName = new Map<string, Plan>();
  #prefix: string;
  #retired = false;

  constructor(storages: StorageRegistry, prefix: string) {
    this.#storages = storages;
    this.#prefix = checkedPrefix(prefix);
  }

  /** The node's class's plan; made at the class's first use. */
  of(node: Node): Plan {
    // The symbol is this table's own, so nobody else can have put anything else there. Who does not use types may give nothing.
    const plan = (node as (Node & { readonly [symbol: symbol]: Plan | undefined }) | undefined)?.[
      this.#symbol
    ];
    if (plan !== undefined && plan.nodeClass === node.constructor) return plan;
    return this.#make(node);
  }

  /** The counters of a class; fresh ones where it has not been used, which is no use of it either. */
  statsOf(nodeClass: NodeClass): StatsCounter {
    const given: unknown = nodeClass;
    if (typeof given !== "function" || typeof nodeClass.prototype?.key !== "function")
      throw notANode("A node class", given);
    const { name, caches } = resolveMeta(nodeClass);
    const plan = this.#byName.get(name);
    if (plan?.nodeClass === nodeClass) return plan.stats;
    return new StatsCounter(caches?.map(({ storage }) => storage) ?? [defaultStorage]);
  }

  classes(): NodeClass[] {
    return Array.from(this, (plan) => plan.nodeClass);
  }

  *[Symbol.iterator](): IterableIterator<Plan> {
    yield* this.#byName.values();
  }

  /**
   * From here on nodes are refused. The plans are taken off the prototypes, which outlive this; where one was frozen meanwhile,
   * a new symbol does not find it.
   */
  retire(): void {
    this.#retired = true;
    for (const plan of this) Reflect.deleteProperty(plan.prototype, this.#symbol);
    this.#symbol = Symbol("cacheme plan, closed");
  }

  /** @throws ConfigurationError `CACHEME_PREFIX_IN_USE` once a node class is in use */
  setPrefix(prefix: string): void {
    const [first] = this.#byName.keys();
    if (first !== undefined && prefix !== this.#prefix) {
      throw new ConfigurationError(
        "CACHEME_PREFIX_IN_USE",
        `The prefix cannot become "${prefix}": node "${first}" is in use under "${this.#prefix}" already, and what it ` +
          "stored would be lost to invalidations. Call setPrefix at the program's start, before the first read.",
      );
    }
    this.#prefix = checkedPrefix(prefix);
  }

  #make(node: Node): Plan {
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
      throw notANode("A node", node);
    }
    // A class's constructor is a NodeClass by its shape: `prototype`, `name`, and perhaps `meta`.
    return this.#compile(nodeClass as unknown as NodeClass, prototype);
  }

  #compile(nodeClass: NodeClass, prototype: object): Plan {
    const meta = resolveMeta(nodeClass);
    const namesake = this.#byName.get(meta.name);
    if (namesake !== undefined) {
      if (namesake.prototype === prototype) return namesake;
      throw new ConfigurationError(
        "CACHEME_DUPLICATE_NODE",
        `Two node classes are named "${meta.name}"; they would read each other's entries. Give one of them another ` +
          "`name` in its meta, or define the class once and import it from there.",
        { node: meta.name },
      );
    }
    const storages = meta.caches?.map(({ storage, ttl }) => ({
      registered: this.#storages.get(storage, meta.name),
      ttl,
    }));
    const plan = new Plan(
      nodeClass,
      prototype,
      meta,
      bulkLoadOf(nodeClass, meta.name),
      this.#prefix,
      this.#byName.size,
      storages ?? [
        { registered: this.#storages.getOrAdopt(defaultStorage, memory, meta.name), ttl: undefined },
      ],
    );
    this.#byName.set(meta.name, plan);
    if (Object.isExtensible(prototype)) {
      Object.defineProperty(prototype, this.#symbol, { value: plan, configurable: true });
    }
    return plan;
  }
}

function bulkLoadOf(nodeClass: NodeClass, name: string): Plan["loadAll"] {
  // `loadAll` is no part of NodeClass, so that classes whose nodes have private constructors fit; it is checked here.
  const { loadAll } = nodeClass as { readonly loadAll?: unknown };
  if (loadAll === undefined) return undefined;
  if (typeof loadAll !== "function") {
    throw new ConfigurationError(
      "CACHEME_INVALID_NODE",
      `The static loadAll of node class "${name}" is not a function.`,
      {
        node: name,
      },
    );
  }
  return (nodes, context) => loadAll.call(nodeClass, nodes, context);
}

function checkedPrefix(prefix: string): string {
  if (
    typeof prefix === "string" &&
    /^[^\p{Cc}\p{Cs}\s]+$/u.test(prefix) &&
    Buffer.byteLength(prefix) <= longestPrefix
  ) {
    return prefix;
  }
  throw new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `The prefix ${JSON.stringify(prefix)} cannot stand in keys. Give 1 to ${longestPrefix} bytes without white space, such as "shop".`,
  );
}

function notANode(expected: string, got: unknown): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_INVALID_NODE",
    `${expected} was expected, and ${typeName(got)} came. ` +
      "Give an instance of a class that extends Node, or what a function made by defineNode returns.",
  );
}
