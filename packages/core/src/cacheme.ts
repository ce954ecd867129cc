// biome-ignore-all lint/style/noExcessiveLinesPerFile: one class is the whole face, and most of its lines are the reference pages
/// <reference lib="esnext.disposable" preserve="true" />
import type { CachemeOptions } from "./cacheme-options.js";
import { systemClock } from "./clock.js";
import type { Entry } from "./entry/entry.js";
import { type Memoized, type MemoizedSync, memoize, memoizeSync } from "./memoize/memoize.js";
import { type MemoizedOptions, type MethodMemoizer, memoized } from "./memoize/memoized.js";
import type { AnyFunction, NodeArguments, NodeFor, ResultOf, Synchronous } from "./memoize/signature.js";
import { checkList, checkPairs } from "./node/checked-list.js";
import type { Node } from "./node/node.js";
import type {
  Answer,
  EntriesOf,
  GetOptions,
  GetSyncOptions,
  OutcomesOf,
  ReadOptions,
  SetOptions,
  ValuesOf,
} from "./node/options.js";
import type { LoadSpace } from "./node/reads.js";
import { refuseSetOptions } from "./node/set-options.js";
import type { SynchronousNode, ValueOf } from "./node/value-of.js";
import { joinCrowd } from "./read/crowd.js";
import { Joining } from "./read/joining.js";
import { LocalTiers } from "./read/local-tiers.js";
import { Reader } from "./read/reader.js";
import { SyncRead } from "./read/sync-read.js";
import type { ClassRuntime } from "./runtime/class-runtime.js";
import type { ClassRuntimes } from "./runtime/class-runtimes.js";
import { partsOf } from "./space-parts.js";
import { WarmingSpace } from "./warming-space.js";
import { set, setAll } from "./write/set.js";
import type { Store } from "./write/store.js";

/**
 * An isolated space of storages, nodes and statistics. The module's functions are the methods of one
 * default instance. Make your own for tests, for tenants, or in a library.
 *
 * @example
 * ```ts
 * await using cacheme = new Cacheme({ prefix: "shop" });
 * await cacheme.registerStorage("local", memory({ maxSize: 10_000 }));
 * const user = await cacheme.get(new UserNode(1));
 * ```
 */
export class Cacheme extends WarmingSpace {
  readonly #runtimes: ClassRuntimes;
  readonly #store: Store;
  readonly #local: LocalTiers;
  readonly #reader: Reader;
  readonly #sync: SyncRead;

  constructor(options: CachemeOptions = {}) {
    const clock = options.clock ?? systemClock;
    const parts = partsOf(clock, options.prefix ?? "cacheme", options.background);
    super(parts);
    const { events, tick, runtimes, provided } = parts;
    this.#runtimes = runtimes;
    this.#store = parts.store;
    const space: LoadSpace = {
      cacheme: this,
      get: this.get.bind(this),
      getAll: this.getAll.bind(this),
      peek: this.peek.bind(this),
      inject: (token) => provided.of(token),
    };
    const joining = new Joining(
      clock,
      events,
      tick,
      this.#store,
      space,
      runtimes,
      parts.background,
      parts.prefetches,
    );
    this.#local = new LocalTiers(clock, events, joining.parts.revalidations, this.#store.environment.random);
    this.#reader = new Reader(clock, runtimes, this.#local, joining);
    parts.warmer.reader = this.#reader;
    this.#sync = new SyncRead(joining.parts);
  }

  /**
   * Returns the node's value: from the nearest tier that has it, else from its `load`. Concurrent
   * reads of one key share one load. All reads of one tick share one round trip to each storage.
   *
   * @throws any error of the load, and {@link CachemeError}s of bad set-up; never because a storage
   *   is down
   * @example
   * ```ts
   * const user = await get(new UserNode(1));
   * const latest = await get(new UserNode(1), { maxAge: "5s" });
   * ```
   */
  get<N extends Node, V extends ValueOf<N> = ValueOf<N>>(
    node: N,
    options?: GetOptions<N, V>,
  ): Promise<Answer<N, V>>;
  // Not an async function, and one promise at most, because each await would make a hit a quarter
  // slower. Code that no hit needs is elsewhere, because V8 only compiles so much into one piece.
  get(node: Node, options?: GetOptions<Node>): Promise<unknown> {
    try {
      const runtime = this.#runtimes.of(node);
      const key = runtime.scope === undefined ? node.key() : runtime.scope.keyOf(node);
      if (options === undefined && runtime.isPlain) {
        const joined = runtime.crowd === undefined ? undefined : joinCrowd(runtime, key);
        if (joined !== undefined) return joined;
        const entry = this.#local.hit(runtime, key, node);
        if (entry !== undefined) return Promise.resolve(entry.value);
      }
      return this.#reader.beyond(runtime, node, key, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Returns the values of many nodes, of any classes, in their order. A node may occur twice.
   * Rejects with the first failure; the other nodes are still loaded and stored.
   *
   * @throws the errors of {@link get}
   * @example
   * ```ts
   * const [user, posts] = await getAll([new UserNode(1), new PostsNode(1)]); // [User, Post[]]
   * ```
   */
  getAll<const Ns extends readonly Node[]>(nodes: Ns, options?: ReadOptions): Promise<ValuesOf<Ns>>;
  getAll(nodes: readonly Node[], options?: ReadOptions): Promise<unknown[]> {
    try {
      return this.#reader.all(nodes, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Returns the outcomes of many nodes. A failed node has its error in its place.
   *
   * @example
   * ```ts
   * for (const outcome of await getAllSettled(ids.map((id) => new UserNode(id)))) {
   *   if (outcome.status === "fulfilled") show(outcome.value);
   * }
   * ```
   */
  getAllSettled<const Ns extends readonly Node[]>(nodes: Ns, options?: ReadOptions): Promise<OutcomesOf<Ns>>;
  getAllSettled(nodes: readonly Node[], options?: ReadOptions): Promise<PromiseSettledResult<unknown>[]> {
    try {
      return this.#reader.allSettled(nodes, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Returns the tiers' entry of the node, without loading it, without filling nearer tiers and
   * without counting in the statistics. The answer is `undefined` if no tier has it. A cached
   * `undefined` is an entry whose value is `undefined`.
   *
   * @example
   * ```ts
   * const entry = await peek(new UserNode(1));
   * if (entry !== undefined) console.log(`${entry.origin} has it for ${entry.ttl} ms more`);
   * ```
   */
  peek<N extends Node>(node: N): Promise<Entry<ValueOf<N>> | undefined> {
    try {
      const { runtime, key } = this.#keyed(node);
      // The tiers hold results of the node's load, or of a typed set.
      return this.#reader.peek(runtime, node, key) as Promise<Entry<ValueOf<N>> | undefined>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Returns the tiers' entries of many nodes, in their order, in one round trip to each storage;
   * see {@link peek}.
   *
   * @example
   * ```ts
   * const entries = await peekAll([new UserNode(1), new UserNode(2)]);
   * ```
   */
  peekAll<const Ns extends readonly Node[]>(nodes: Ns): Promise<EntriesOf<Ns>>;
  async peekAll(nodes: readonly Node[]): Promise<(Entry | undefined)[]> {
    checkList("peekAll", nodes);
    return await Promise.all(nodes.map((node) => this.peek(node)));
  }

  /**
   * Returns the local tiers' entry of the node, at once; see {@link peek}.
   *
   * @example
   * ```ts
   * const entry = peekLocal(new UserNode(1));
   * ```
   */
  peekLocal<N extends Node>(node: N): Entry<ValueOf<N>> | undefined {
    const { runtime, key } = this.#keyed(node);
    return this.#reader.peekLocal(runtime, key) as Entry<ValueOf<N>> | undefined; // As in peek.
  }

  /**
   * Returns the node's value at once, for classes whose tiers are all local and whose `load`
   * returns no promise.
   *
   * @throws LoadError `CACHEME_NOT_SYNCHRONOUS` if a tier is remote or the load returned a promise
   * @example
   * ```ts
   * const template = getSync(new TemplateNode("welcome"));
   * ```
   */
  getSync<N extends Node>(node: N & SynchronousNode<N>): ValueOf<N>;
  getSync<N extends Node, V extends ValueOf<N>>(node: N, options: GetSyncOptions<N, V>): Answer<N, V>;
  getSync(node: Node, options?: GetSyncOptions<Node, unknown>): unknown {
    const { runtime, key } = this.#keyed(node);
    if (!runtime.isPlain) {
      return this.#reader.synchronously(runtime, node, key, () => this.#getSync(runtime, node, key, options));
    }
    return this.#getSync(runtime, node, key, options);
  }

  #getSync(
    runtime: ClassRuntime,
    node: Node,
    key: string,
    options: GetSyncOptions<Node, unknown> | undefined,
  ): unknown {
    const entry = this.#local.hit(runtime, key, node, options?.load);
    return entry === undefined ? this.#sync.load(runtime, node, key, options?.load) : entry.value;
  }

  /**
   * Stores a value in every tier of the node; its source is neither read nor written. It overtakes
   * every read and write of the key that began earlier in this process.
   *
   * @throws SerializationError `CACHEME_NOT_SERIALIZABLE` if a tier cannot carry or clone the
   *   value; then nothing is stored
   * @throws IncompleteError `CACHEME_WRITE_INCOMPLETE` if a remote tier could not be reached; the
   *   others have it
   * @example
   * ```ts
   * await set(new UserNode(1), { name: "Ada" }, { ttl: "5m" });
   * ```
   */
  set<N extends Node>(node: N, value: NoInfer<ValueOf<N>>, options: SetOptions = {}): Promise<void> {
    try {
      refuseSetOptions("set", options);
      return set({ ...this.#keyed(node), node, value }, options, this.#store);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Stores the values of many nodes, in one round trip to each storage; see {@link set}.
   *
   * @throws the error of {@link set}, for the first node that fails; the others are stored
   * @example
   * ```ts
   * await setAll([[new UserNode(1), ada], [new PostsNode(1), []]]);
   * ```
   */
  async setAll<const Ns extends readonly Node[]>(
    entries: { readonly [I in keyof Ns]: readonly [node: Ns[I], value: NoInfer<ValueOf<Ns[I]>>] },
    options: SetOptions = {},
  ): Promise<void> {
    checkPairs("setAll", entries);
    refuseSetOptions("setAll", options);
    const given = (place: number) => {
      const [node, value] = entries[place] as readonly [Node, unknown]; // The place is within the list.
      return { ...this.#keyed(node), node, value };
    };
    await setAll(entries.length, given, options, this.#store);
  }

  /**
   * Loads the value again and stores it. Readers get the old value until the new one is there. It
   * never joins a load that has begun, because that load may have read an older state of the
   * source. Refreshes of one tick share one load.
   *
   * @throws any error of the load; then the old value stays
   * @example
   * ```ts
   * const user = await refresh(new UserNode(1));
   * const users = await refresh([new UserNode(1), new UserNode(2)]);
   * ```
   */
  refresh<const Ns extends readonly Node[]>(
    nodes: Ns,
    options?: Pick<ReadOptions, "signal">,
  ): Promise<ValuesOf<Ns>>;
  refresh<N extends Node, V extends ValueOf<N> = ValueOf<N>>(
    node: N,
    options?: Pick<GetOptions<N, V>, "signal" | "load">,
  ): Promise<Answer<N, V>>;
  refresh(
    given: Node | readonly Node[],
    options?: Pick<GetOptions<Node>, "signal" | "load">,
  ): Promise<unknown> {
    try {
      if (Array.isArray(given)) return this.getAll(given, { ...options, fresh: true });
      const node = given as Node; // Not a list, so a node: the line below checks it.
      const { runtime, key } = this.#keyed(node);
      return this.#reader.beyond(runtime, node, key, { ...options, fresh: true });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Makes a function whose results are kept under nodes: {@link get} with the function as the load.
   * It keeps the function's parameters, overloads and `this`. It also has `.node(...args)`,
   * `.invalidate(...args)` and `.refresh(...args)`.
   *
   * @param toNode returns the node for the arguments; it may take fewer than the function does. For
   *   a function with overloads it takes the arguments of all of them
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` if one of the two is not a function. The
   *   memoized function rejects with `CACHEME_INVALID_NODE` if `toNode` returns no node, and with
   *   the error of `toNode`
   * @example
   * ```ts
   * const fetchUser = memoize((id: number) => db.user(id), (id) => new UserNode(id));
   * const ada = await fetchUser(1);
   * await fetchUser.invalidate(1);
   * ```
   */
  memoize<F extends AnyFunction, N extends Node>(
    fn: F,
    toNode: (...args: NodeArguments<F>) => N & NodeFor<N, Awaited<ResultOf<F>>>,
  ): Memoized<F, N> {
    return memoize<F, N>(this, fn, toNode);
  }

  /**
   * Makes a function that returns no promise and whose results are kept under nodes:
   * {@link getSync} with the function as the load. All tiers of the nodes must be local. Otherwise
   * it works as {@link memoize}.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` if one of the two is not a function. The
   *   memoized function throws `CACHEME_INVALID_NODE` if `toNode` returns no node
   * @example
   * ```ts
   * const compile = memoizeSync((source: string) => parse(source), (source) => new TemplateNode(source));
   * ```
   */
  memoizeSync<F extends AnyFunction, N extends Node>(
    fn: F & Synchronous<F>,
    toNode: (...args: NodeArguments<F>) => N & NodeFor<N, ResultOf<F>>,
  ): MemoizedSync<F, N> {
    return memoizeSync<F, N>(this, fn, toNode);
  }

  /**
   * Decorates methods that return promises, and keeps their results under nodes. It works as a
   * standard decorator and under `experimentalDecorators`, on methods of instances and on static
   * ones.
   *
   * @param toNode returns the node for the method's arguments; called with the method's `this`
   * @param options `space` returns the `Cacheme` of an instance; default: this one
   * @throws ConfigurationError `CACHEME_INVALID_DECORATOR` on a field, an accessor, a class or a
   *   parameter; `CACHEME_INVALID_OPTION` if `toNode` is not a function. The method rejects with
   *   `CACHEME_INVALID_NODE` if `toNode` returns no node
   * @example
   * ```ts
   * class Users {
   *   @memoized((id: number) => new UserNode(id))
   *   async find(id: number): Promise<User> { return db.user(id); }
   * }
   * ```
   */
  memoized<This, Args extends unknown[], N extends Node>(
    toNode: (this: This, ...args: Args) => N,
    options?: MemoizedOptions<This>,
  ): MethodMemoizer<This, Args, N>;
  memoized(...given: readonly unknown[]): MethodMemoizer<unknown, unknown[], Node> {
    return memoized(this, ...given);
  }

  override close(): Promise<void> {
    this.#reader.close();
    return super.close();
  }

  #keyed(node: Node): { readonly runtime: ClassRuntime; readonly key: string } {
    const runtime = this.#runtimes.of(node);
    return { runtime, key: runtime.keyOf(node) };
  }
}
