import type { Duration } from "../duration.js";
import type { Entry } from "../entry/entry.js";
import type { NodeMeta } from "./meta.js";
import type { LoadSurroundings } from "./reads.js";
import type { MaybePromise, ValueOf } from "./value-of.js";

/**
 * The identity of one cached value. Extend it once per kind of thing that is cached: how it is keyed, how it is loaded,
 * and in the static {@link Node.meta} where and how long it is kept.
 *
 * The value's type is `V` where it is declared, else what `load` returns.
 *
 * @example
 * ```ts
 * class UserNode extends Node<User> {
 *   static override meta: NodeMeta = { name: "user", caches: [{ storage: "local", ttl: "30s" }] };
 *   constructor(readonly id: number) { super(); }
 *   key() { return `${this.id}`; }
 *   override load() { return db.user(this.id); }
 * }
 * const user = await get(new UserNode(1)); // User
 * ```
 */
export abstract class Node<V = unknown> {
  /** The policy of the class. Read once, at the first use of the class, and not again. Without it: {@link NodeMeta}'s defaults. */
  static meta?: NodeMeta;

  /**
   * Loads many nodes of the class in one go: all the misses of one tick, or a single one where the class has no `load`. Annotate it with
   * {@link LoadAll}, which checks the elements; a static *method* would be checked for nothing but "returns an array".
   */
  static loadAll?: (nodes: readonly never[], context: LoadAllContext) => MaybePromise<readonly unknown[]>;

  /** Carries the value's type; there is nothing here at run time. */
  declare readonly "~value": V;

  /**
   * What tells this node from the others of its class: a text that is not empty and has no control characters. Called once
   * or more for each read, so keep it cheap, and let it depend on nothing but the node.
   */
  abstract key(): string;

  /**
   * Gets the value from its source. Called at most once for all the readers that wait for it. What it throws reaches every
   * one of them, and nothing is stored.
   */
  load?(context: LoadContext<V>): MaybePromise<V>;
}

/**
 * A node class as the functions take it, also with a private constructor or abstract.
 */
export interface NodeClass<N extends Node = Node> {
  readonly prototype: N;
  readonly name: string;
  readonly meta?: NodeMeta | undefined;
}

/** What a `load` may use and say while it runs. */
export interface LoadContext<V = unknown> extends LoadSurroundings {
  /**
   * Aborted when nobody waits for the value any more (every reader had a `signal` and left), or the load's deadline has
   * passed. Hand it on to `fetch` or a database client.
   */
  readonly signal: AbortSignal;
  /** The value that this load replaces, where one is at hand: on `refresh`, `fresh` and an exceeded `maxAge`. */
  readonly previous: Entry<V> | undefined;
  /**
   * Says how long this value may be kept, from when it is stored: the last tier keeps it for just as long, the tiers
   * before it for at most as long.
   *
   * @throws ConfigurationError `CACHEME_INVALID_DURATION`
   */
  ttl(duration: Duration): void;
  /** The value is returned but not stored anywhere. */
  skip(): void;
}

/** What a `loadAll` may use and say while it runs. */
export interface LoadAllContext extends LoadSurroundings {
  /** Aborted when nobody waits for any of the values any more, or the load's deadline has passed. */
  readonly signal: AbortSignal;
  /** The context of one of the nodes: its previous value, its ttl, whether it is stored. */
  for<N extends Node>(node: N): LoadContext<ValueOf<N>>;
}

/**
 * The type of a static `loadAll`: answers for each node, in their order, a value or an `Error` for that node alone.
 *
 * @example
 * ```ts
 * static override loadAll: LoadAll<UserNode> = (nodes) => db.users(nodes.map((node) => node.id));
 * ```
 */
export type LoadAll<N extends Node> = (
  nodes: readonly N[],
  context: LoadAllContext,
) => MaybePromise<readonly (ValueOf<N> | Error)[]>;
