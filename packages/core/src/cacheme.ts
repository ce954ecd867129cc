// biome-ignore-all lint/style/noExcessiveLinesPerFile: one class is the whole face, and most of its lines are the reference pages
/// <reference lib="esnext.disposable" preserve="true" />
import type { Bus } from "./bus/bus.js";
import { BusLink, type BusStatus, type RegisterBusOptions } from "./bus/bus-link.js";
import { type Clock, systemClock } from "./clock.js";
import type { Entry } from "./entry/entry.js";
import { closedError } from "./errors.js";
import { type CachemeEvents, type CachemeListener, Events } from "./events.js";
import { type Memoized, type MemoizedSync, memoize, memoizeSync } from "./memoize/memoize.js";
import { type MemoizedOptions, type MethodMemoizer, memoized } from "./memoize/memoized.js";
import type { AnyFunction, NodeArguments, NodeFor, ResultOf, Synchronous } from "./memoize/signature.js";
import { checkList } from "./node/checked-list.js";
import type { Node, NodeClass, Scope } from "./node/node.js";
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
import type { LoadSpace, Token } from "./node/reads.js";
import type { StorageName } from "./node/register.js";
import type { SynchronousNode, ValueOf } from "./node/value-of.js";
import { Provided } from "./provided.js";
import { Joining } from "./read/joining.js";
import { LocalTiers } from "./read/local-tiers.js";
import { Reader } from "./read/reader.js";
import { SyncRead } from "./read/sync-read.js";
import { BusBoundClasses } from "./runtime/bus-bound-classes.js";
import type { ClassRuntime } from "./runtime/class-runtime.js";
import { ClassRuntimes, type UsedNode } from "./runtime/class-runtimes.js";
import { type Stats, StatsCounter } from "./stats/node-stats.js";
import type { LocalStorage } from "./storage/local-storage.js";
import type { RemoteStorage } from "./storage/remote-storage.js";
import { scopeTag } from "./tags/scopes.js";
import { checkTag } from "./tags/tag-name.js";
import { type StorageStatus, statusOf } from "./tiers/registered.js";
import { type RegisterOptions, StorageRegistry } from "./tiers/registry.js";
import type { RemoteBatch } from "./tiers/remote-batch.js";
import { Tick } from "./tiers/tick.js";
import { Dependents } from "./write/dependents.js";
import { invalidate } from "./write/invalidate.js";
import { invalidateTags } from "./write/invalidate-tags.js";
import { set, setAll } from "./write/set.js";
import { rightToLeft } from "./write/storage-order.js";
import { Store } from "./write/store.js";

/** The settings of an isolated {@link Cacheme}. */
export interface CachemeOptions {
  /** The first part of every key in remote storages. Default: `"cacheme"`. */
  readonly prefix?: string | undefined;
  /** The source of time. Default: the machine's clock. */
  readonly clock?: Clock | undefined;
}

/**
 * An isolated space of storages, nodes and statistics. The module's functions (`get`,
 * `registerStorage`, …) are the methods of one default instance. Make your own for tests, for
 * tenants, or in a library.
 *
 * @example
 * ```ts
 * await using cacheme = new Cacheme({ prefix: "shop" });
 * await cacheme.registerStorage("local", memory({ maxSize: 10_000 }));
 * const user = await cacheme.get(new UserNode(1));
 * ```
 */
export class Cacheme implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #events = new Events();
  readonly #tick = new Tick();
  readonly #bus: BusLink;
  readonly #storages: StorageRegistry;
  readonly #runtimes: ClassRuntimes;
  readonly #store: Store;
  readonly #local: LocalTiers;
  readonly #reader: Reader;
  readonly #sync: SyncRead;
  readonly #provided = new Provided();
  readonly #dependents: Dependents;
  #closing: Promise<void> | undefined;

  constructor(options: CachemeOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#storages = new StorageRegistry(this.#clock, this.#events, this.#tick, (name) =>
      this.#runtimes.storageReplaced(name),
    );
    this.#bus = new BusLink(this.#clock, this.#events, this.#tick);
    this.#runtimes = new ClassRuntimes(this.#storages, this.#clock, options.prefix ?? "cacheme", this.#bus);
    this.#store = new Store(this.#clock, this.#events, this.#runtimes.tags);
    this.#local = new LocalTiers(this.#clock, this.#events);
    const runtimes = this.#runtimes;
    this.#dependents = new Dependents({
      table: runtimes.tags,
      clock: this.#clock,
      get hasDependents() {
        return runtimes.hasDependents;
      },
      storages: () =>
        rightToLeft(this.#remotes(), runtimes).filter((remote) => remote.generations.isSupported),
    });
    const space: LoadSpace = {
      cacheme: this,
      get: this.get.bind(this),
      getAll: this.getAll.bind(this),
      peek: this.peek.bind(this),
      inject: (token) => this.#provided.of(token),
    };
    const joining = new Joining(this.#clock, this.#events, this.#tick, this.#store, space, this.#runtimes);
    this.#reader = new Reader(this.#clock, this.#runtimes, this.#local, joining);
    this.#sync = new SyncRead(this.#clock, this.#events, this.#store, space);
  }

  /**
   * Gives a storage a name that nodes can use. Wait for it before the first read.
   *
   * Registering the same storage again, by label or address, is no error, because a module may be
   * evaluated twice. Another storage is refused, unless the options say `replace: true`.
   *
   * @param storage the result of `memory()` or of a storage package's function, or an address. Its
   *   scheme names the package that makes the storage: install that package
   * @param options for an address: the options of every remote storage; for all: the capabilities
   *   that the program needs
   *
   * @throws ConfigurationError `CACHEME_DUPLICATE_STORAGE` if another storage has the name.
   *   `CACHEME_UNKNOWN_SCHEME` or `CACHEME_MISSING_PACKAGE` if no installed package makes a storage
   *   from the address. `CACHEME_NOT_OFFERED`, with the reason, if the storage does not support a
   *   capability in `needs`
   * @throws StorageError `CACHEME_CONNECT_FAILED` if the storage cannot be connected; then the name
   *   is free again
   * @example
   * ```ts
   * await registerStorage("local", memory({ maxSize: 10_000 }));
   * await registerStorage("redis", "redis://localhost:6379", { connect: "lazy", needs: ["leases"] });
   * ```
   */
  async registerStorage(
    name: StorageName,
    storage: LocalStorage | RemoteStorage | string,
    options: RegisterOptions = {},
  ): Promise<void> {
    if (this.#closing !== undefined) throw closedError("registerStorage was called");
    await this.#storages.register(name, storage, options);
  }

  /**
   * Connects this process with the others of the program. From then on an invalidation, a `set` or a
   * `refresh` in one process drops the local entries of the key in all of them. It concerns the
   * classes that have a name and a local tier, unless their meta says `bus: false`.
   *
   * While the bus is down, local entries are served for a short time only, or not at all. When it is
   * back, and after a message was missed, every local entry of those classes is dropped.
   *
   * @throws ConfigurationError `CACHEME_DUPLICATE_BUS` if there is another bus,
   *   `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION` for an invalid option
   * @throws StorageError `CACHEME_CONNECT_FAILED` or `CACHEME_CONNECT_REFUSED` if the bus cannot be
   *   used; then there is none
   * @example
   * ```ts
   * await registerBus(memoryBus(), { whenBusDown: "bypass" });
   * ```
   */
  async registerBus(bus: Bus, options: RegisterBusOptions = {}): Promise<void> {
    if (this.#closing !== undefined) throw closedError("registerBus was called");
    await this.#bus.register(bus, options, new BusBoundClasses(this.#runtimes));
  }

  /**
   * Returns the state of the bus, or `undefined` if there is none.
   *
   * @example
   * ```ts
   * if (busStatus()?.state === "lost") console.warn(busStatus()?.lastError);
   * ```
   */
  busStatus(): BusStatus | undefined {
    return this.#bus.status();
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
      if (options === undefined) {
        const entry = this.#local.hit(runtime, key);
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
    const entry = this.#local.hit(runtime, key);
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
    checkList("setAll", entries);
    const given = (place: number) => {
      const [node, value] = entries[place] as readonly [Node, unknown]; // The place is within the list.
      return { ...this.#keyed(node), node, value };
    };
    await setAll(entries.length, given, options, this.#store);
  }

  /**
   * Removes the nodes from every tier. Once it has resolved, no later read in this process is
   * answered with a value whose load began before. Reads under way are answered, and their loaded
   * values are not stored.
   *
   * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a remote tier could not be
   *   reached; the others are done
   * @example
   * ```ts
   * await db.rename(1, "Ada");
   * await invalidate(new UserNode(1));
   * await invalidate(ids.map((id) => new UserNode(id)));
   * ```
   */
  invalidate(nodes: readonly Node[]): Promise<void>;
  invalidate(...nodes: readonly Node[]): Promise<void>;
  invalidate(...given: readonly (Node | readonly Node[])[]): Promise<void> {
    try {
      const removals = given.flat().map((node) => this.#keyed(node));
      return invalidate(removals, this.#clock, this.#events, this.#dependents);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Makes every entry that carries one of the tags invalid, in every storage: one small write for
   * each tag and storage, however many entries there are. Once it has resolved, no later read in
   * this process is answered with such a value whose load began before.
   *
   * @throws ConfigurationError `CACHEME_INVALID_TAG` for a tag that no entry can have
   * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a remote storage could not be
   *   reached; the others are done
   * @example
   * ```ts
   * await db.deleteTeam(7);
   * await invalidateTags("team:7");
   * ```
   */
  async invalidateTags(...tags: readonly string[]): Promise<void> {
    await this.#invalidateTags(tags.map((tag) => checkTag(tag, { what: "invalidateTags(…)" })));
  }

  /**
   * Declares the levels of scopes, the outermost first. Call it before the first use of a scoped
   * class. A second call with the same levels does nothing more.
   *
   * @throws ConfigurationError `CACHEME_INVALID_SCOPE` for invalid names, or other levels than before
   * @example
   * ```ts
   * defineScopes("org", "user", "session");
   * ```
   */
  defineScopes(...levels: readonly string[]): void {
    this.#runtimes.scopes.define(levels);
  }

  /**
   * Runs the function in a scope, for the nodes that take their scope from the caller. The scope
   * holds through every `await` of the function. Levels above the given ones are those of the
   * caller.
   *
   * @returns the function's answer
   * @throws ConfigurationError `CACHEME_INVALID_SCOPE` for an unknown level or an invalid value
   * @example
   * ```ts
   * const cart = await withScope({ org: 7, user: 3 }, () => get(new CartNode()));
   * ```
   */
  withScope<T>(scope: Scope, body: () => T): T {
    return this.#runtimes.scopes.run(scope, body);
  }

  /**
   * Makes every entry in the scope and below it invalid, in every storage, by one write for each
   * storage; as {@link invalidateTags} does for a tag. Levels above the given ones are those of the
   * caller.
   *
   * @throws ConfigurationError `CACHEME_INVALID_SCOPE`; `CACHEME_MISSING_SCOPE` if a level above the
   *   given ones has no value
   * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a remote storage could not be
   *   reached; the others are done
   * @example
   * ```ts
   * await invalidateScope({ org: 7 });
   * ```
   */
  async invalidateScope(scope: Scope): Promise<void> {
    const path = this.#runtimes.scopes.path(scope, undefined, { what: "invalidateScope(…)" });
    await this.#invalidateTags([scopeTag(path)]);
  }

  /**
   * Drops the local tiers' entries of a node class, of the storage of that name, or of the whole
   * space. Operations under way are answered, and only stored in remote tiers. Remote tiers keep
   * their entries, and fill the local ones again: if values have changed, use {@link invalidate}.
   *
   * @param what a node class, the name of a storage, or nothing for all
   * @throws ConfigurationError `CACHEME_UNKNOWN_STORAGE`, or `CACHEME_INVALID_NODE` for a class
   *   that is not a node's
   * @example
   * ```ts
   * afterEach(() => clear());
   * ```
   */
  async clear(what?: NodeClass | StorageName): Promise<void> {
    if (what === undefined) for (const kind of this.#runtimes) kind.clearLocally();
    else if (typeof what !== "string") this.#runtimes.kindOf(what)?.clearLocally();
    else {
      this.#storages.get(what);
      for (const kind of this.#runtimes) kind.clearLocally(what);
    }
  }

  /**
   * Gives the space a thing that its loads need, such as a repository. A load gets it by
   * `context.inject(token)`. Providing another one under the same token replaces the first one, for
   * loads that begin later.
   *
   * @param token the class of the thing, or a symbol
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` for a token that is neither
   * @example
   * ```ts
   * provide(UserRepository, new UserRepository(pool));
   * ```
   */
  provide<T>(token: Token<T>, thing: T): void {
    this.#provided.set(token, thing);
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

  /**
   * Lists the node classes that have been used, in the order of their first use. Each has the name
   * that events, errors and statistics use.
   *
   * @example
   * ```ts
   * for (const { name, nodeClass } of nodes()) console.log(name, stats(nodeClass).hitRate);
   * ```
   */
  nodes(): UsedNode[] {
    return this.#runtimes.classes();
  }

  /**
   * Returns the statistics of one node class, or of all of them together. If a class has not been
   * used, all figures are 0.
   *
   * @example
   * ```ts
   * const { hitRate, averageLoadTime } = stats(UserNode);
   * ```
   */
  stats(nodeClass?: NodeClass): Stats {
    return StatsCounter.summary(
      nodeClass === undefined
        ? Array.from(this.#runtimes, ({ stats }) => stats)
        : [this.#runtimes.statsOf(nodeClass)],
    );
  }

  /**
   * Returns the registered storages, and their failures.
   *
   * @example
   * ```ts
   * for (const { name, failureCount, lastError } of storages()) console.log(name, failureCount, lastError?.message);
   * ```
   */
  storages(): StorageStatus[] {
    return Array.from(this.#storages, statusOf);
  }

  /**
   * Sets the first part of every key in remote storages, so that programs that share a server keep
   * apart. Call it before the first read. Default: `"cacheme"`.
   *
   * @throws ConfigurationError `CACHEME_PREFIX_IN_USE` once a node class is in use
   * @example
   * ```ts
   * setPrefix("shop");
   * ```
   */
  setPrefix(prefix: string): void {
    this.#runtimes.setPrefix(prefix);
  }

  /**
   * Adds a listener to an event. Events without listeners cost nothing. A process warning reports a
   * listener that throws.
   *
   * @returns a function that stops listening
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an unknown event
   * @example
   * ```ts
   * const stop = on("storageError", ({ storage, error }) => log.warn({ storage, error }));
   * ```
   */
  on<E extends keyof CachemeEvents>(event: E, listener: CachemeListener<E>): () => void {
    return this.#events.on(event, listener);
  }

  /**
   * Ends the work of this space: refuses new calls, waits for requests under way, and closes the
   * storages. Running loads still answer their readers, unless they read further nodes; their
   * values are not stored. A second call does nothing more. End a server first, because it would
   * otherwise answer with errors.
   *
   * Each call to a storage has its `deadline`, and a storage has 10 seconds to close. So `close`
   * settles even if a server or a driver hangs.
   *
   * @example
   * ```ts
   * await once(process, "SIGTERM");
   * server.close(); // takes no new connections
   * await once(server, "close"); // all its requests are answered
   * await close();
   * ```
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#runtimes.retire();
    this.#storages.retire();
    this.#bus.retire();
    this.#reader.close();
    await new Promise<void>((sent) => this.#tick.add(sent)); // First sends the requests that this tick has gathered.
    await this.#runtimes.finish();
    await this.#bus.close();
    await this.#storages.close();
  }

  #keyed(node: Node): { readonly runtime: ClassRuntime; readonly key: string } {
    const runtime = this.#runtimes.of(node);
    return { runtime, key: runtime.keyOf(node) };
  }

  #remotes(): readonly RemoteBatch[] {
    return [...this.#storages].filter((registered) => registered.kind === "remote");
  }

  async #invalidateTags(names: readonly string[]): Promise<void> {
    const table = this.#runtimes.tags;
    await invalidateTags(
      Array.from(new Set(names), (name) => table.of(name)),
      {
        table,
        clock: this.#clock,
        events: this.#events,
        storages: this.#remotes(),
        kinds: this.#runtimes,
      },
    );
  }
}
