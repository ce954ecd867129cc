import type { Duration } from "../duration.js";
import type { Entry } from "../entry/entry.js";
import type { NodeMeta } from "./meta.js";
import type { LoadSurroundings } from "./reads.js";
import type { SaveContext } from "./saves.js";
import type { MaybePromise, ValueOf } from "./value-of.js";

/**
 * The identity of one cached value. Extend it once per kind of cached value. The subclass says how
 * a value is keyed and loaded. Its static {@link Node.meta} says where and how long the value is
 * kept.
 *
 * The value's type is `V` if it is declared, else the result of `load`.
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
  /**
   * The policy of the class. Cacheme reads it once, at the first use of the class. Default:
   * {@link NodeMeta}'s defaults.
   */
  static meta?: NodeMeta;

  /**
   * Loads many nodes of the class in one go: all the misses of one tick. If the class has no
   * `load`, it also loads a single node. Annotate it with {@link LoadAll}, which checks the
   * elements. The compiler only checks that a static *method* returns an array.
   */
  static loadAll?: (nodes: readonly never[], context: LoadAllContext) => MaybePromise<readonly unknown[]>;

  /**
   * Writes many values of the class to their source in one go: all that are saved in one tick. If
   * the class has no `save`, it also writes a single value. Annotate it with {@link SaveAll}.
   */
  static saveAll?: (entries: readonly never[], context: SaveContext) => MaybePromise<unknown>;

  /** The value's type. The property does not exist at run time. */
  declare readonly "~value": V;

  /**
   * Returns the string that tells this node from the others of its class. It is not empty and has
   * no control characters. Each read calls it once or more, so keep it cheap. Let it depend on
   * nothing but the node.
   */
  abstract key(): string;

  /**
   * Gets the value from its source. Called at most once for all the readers that wait for it. An
   * error reaches each of those readers, and nothing is stored.
   */
  load?(context: LoadContext<V>): MaybePromise<V>;

  /**
   * Writes the value to its source, for the function `save`. It may be called again with the same
   * value, so let a repetition do no harm. If it throws, the source counts as unchanged.
   *
   * @example
   * ```ts
   * override save(user: User, { signal }: SaveContext) { return db.update(this.id, user, { signal }); }
   * ```
   */
  save?(value: V, context: SaveContext): MaybePromise<unknown>;

  /**
   * Returns the groups in which the value is invalidated, by `invalidateTags`. They are known
   * before the load: if only the value tells a tag, use `context.tag`. At most 64 strings of 1 to
   * 200 bytes, which do not begin with `~`. Each read calls it that no local tier answers.
   *
   * Each remote storage of the class must support generations. Default: none.
   *
   * @example
   * ```ts
   * override tags() { return [`team:${this.teamId}`]; }
   * ```
   */
  tags?(): readonly string[];

  /**
   * Returns the scope that the value belongs to, such as `{ org: 7 }`. Its path is a part of the
   * key, so no two scopes share an entry, and `invalidateScope` drops all entries below a path.
   * Levels above the returned ones come from the caller's `withScope`. Each read calls it, so keep
   * it cheap.
   *
   * Declare the levels by `defineScopes`. Each remote storage of the class must support
   * generations. Default: none, or the caller's scope down to the option `scopedTo`.
   */
  scope?(): Scope;

  /**
   * Returns the nodes that the value is made of. If one of them is invalidated, the value is
   * invalid, too, also if it is being loaded. At most 100 nodes, those of its dependencies
   * included, and no circle. If only the load knows the nodes, use the option `track`.
   *
   * Each remote storage of the class must support generations. Default: none.
   */
  dependsOn?(): readonly Node[];

  /**
   * Returns the nodes that are likely to be read soon after this one. After a miss of this node they
   * are loaded in the background, by the option {@link PrefetchPolicy.prefetch}. If it throws, the
   * event `prefetchError` reports it.
   *
   * @param value the loaded value. Its readers may have it, too, so do not change it
   * @example
   * ```ts
   * override related(user: User) { return [new PostsNode(user.id), new AvatarNode(user.avatar)]; }
   * ```
   */
  related?(value: V): readonly Node[];
}

/**
 * A path of scopes: a value for each level, such as `{ org: 7, user: 3 }`. A value is a number, or
 * a string of 1 to 100 characters.
 */
export type Scope = Readonly<Record<string, string | number>>;

/** A node class as the functions accept it, even if abstract or with a private constructor. */
export interface NodeClass<N extends Node = Node> {
  readonly prototype: N;
  readonly name: string;
  readonly meta?: NodeMeta | undefined;
}

/** The context of a running `load`: what it may read and set. */
export interface LoadContext<V = unknown> extends LoadSurroundings {
  /**
   * A signal that aborts when the load's deadline has passed. It also aborts when all readers have
   * left, if each had a `signal`. Pass it to `fetch` or to a database client.
   */
  readonly signal: AbortSignal;
  /**
   * The entry that this load replaces, if a tier still holds it, also if it has expired (see the
   * option `keepExpired`): the value, its times, and the data that its load has kept. An entry that
   * was invalidated or cleared is never given.
   */
  readonly previous: Entry<V> | undefined;
  /**
   * Sets how long this value may be kept, from the time when it is stored. The last tier keeps it
   * for just as long, the tiers before it for at most as long.
   *
   * @throws ConfigurationError `CACHEME_INVALID_DURATION`
   */
  ttl(duration: Duration): void;
  /**
   * Keeps data beside the value, such as an ETag, for the load that replaces it. It is plain data as
   * JSON has them, of at most 4,096 bytes. Readers do not get it; `peek` shows it.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` for other data
   * @example
   * ```ts
   * keep({ etag: response.headers.get("etag") });
   * ```
   */
  keep(data: unknown): void;
  /**
   * Returns the answer of a load whose source has no newer value than the previous one: return it in
   * the value's place. The previous value is stored for another ttl, with its tags and kept data.
   *
   * @throws LoadError `CACHEME_NO_PREVIOUS` without a previous value
   * @example
   * ```ts
   * if (response.status === 304) return context.notModified();
   * ```
   */
  notModified(): never;
  /** Keeps the value out of every tier. Readers still get it. */
  skip(): void;
  /**
   * Adds tags that only the value tells. `invalidateTags` of one of them reaches the value.
   *
   * @throws ConfigurationError `CACHEME_INVALID_TAG`, `CACHEME_TOO_MANY_TAGS`, or
   *   `CACHEME_NOT_OFFERED` if a remote storage of the class does not support generations
   * @example
   * ```ts
   * override async load({ tag }: LoadContext<Post>) {
   *   const post = await db.post(this.id);
   *   tag(`author:${post.authorId}`);
   *   return post;
   * }
   * ```
   */
  tag(...tags: readonly string[]): void;
}

/** The context of a running `loadAll`: what it may read and set. */
export interface LoadAllContext extends LoadSurroundings {
  /**
   * A signal that aborts when all readers of all the values have left, or when the load's deadline
   * has passed.
   */
  readonly signal: AbortSignal;
  /** Returns the context of one of the nodes: its previous value, its ttl, whether it is stored. */
  for<N extends Node>(node: N): LoadContext<ValueOf<N>>;
}

/**
 * The type of a static `loadAll`. It answers with a value or an `Error` for each node, in the
 * nodes' order.
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
