/// <reference lib="esnext.disposable" preserve="true" />
import type { Bus } from "./bus/bus.js";
import type { BusLink } from "./bus/bus-link.js";
import type { RegisterBusOptions } from "./bus/bus-options.js";
import type { BusStatus } from "./bus/bus-status.js";
import type { Clock } from "./clock.js";
import { closedError } from "./errors.js";
import type { CachemeEvents, CachemeListener, Events } from "./events.js";
import { resolveMeta } from "./node/meta.js";
import type { Node, NodeClass, Scope } from "./node/node.js";
import type { Token } from "./node/reads.js";
import type { StorageName } from "./node/register.js";
import type { MaybePromise } from "./node/value-of.js";
import type { Provided } from "./provided.js";
import { Explainer } from "./read/explain.js";
import type { Explanation } from "./read/explanation.js";
import { dropOwnReads } from "./request/own-changes.js";
import { type RequestScopeOptions, requestScope } from "./request/request-scope.js";
import { BusBoundClasses } from "./runtime/bus-bound-classes.js";
import type { ClassRuntimes, UsedNode } from "./runtime/class-runtimes.js";
import { remotesOf, type SpaceParts } from "./space-parts.js";
import { type Stats, StatsCounter } from "./stats/node-stats.js";
import { KeyPattern } from "./storage/key-pattern.js";
import type { LocalStorage } from "./storage/local-storage.js";
import type { RemoteStorage } from "./storage/remote-storage.js";
import { scopeTag } from "./tags/scopes.js";
import { checkTag } from "./tags/tag-name.js";
import { type StorageStatus, statusOf } from "./tiers/registered.js";
import type { RegisterOptions, StorageRegistry } from "./tiers/registry.js";
import type { RemoteBatch } from "./tiers/remote-batch.js";
import type { Tick } from "./tiers/tick.js";
import type { Warmer } from "./warm/warmer.js";
import { inCommit, pendingCommit } from "./write/after-commit.js";
import type { Dependents } from "./write/dependents.js";
import { invalidate } from "./write/invalidate.js";
import {
  invalidateMatching,
  type MatchingInvalidation,
  type MatchingOptions,
} from "./write/invalidate-matching.js";
import { invalidateTags } from "./write/invalidate-tags.js";
import type { Saver } from "./write/save.js";
import type { Journals } from "./write/write-behind/journals.js";

/** The options of `clear` that removes the entries of remote tiers, too. */
export interface ClearOptions extends MatchingOptions {
  readonly remote: true;
}

/**
 * The methods of a space that concern no single node: its set-up, its figures and
 * explanations, the removals over many classes, and its end. `Cacheme` adds the methods that take
 * nodes.
 */
export abstract class Space implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #tick: Tick;
  readonly #bus: BusLink;
  readonly #storages: StorageRegistry;
  readonly #runtimes: ClassRuntimes;
  readonly #provided: Provided;
  readonly #explainer: Explainer;
  readonly #dependents: Dependents;
  readonly #saver: Saver;
  readonly #journals: Journals;
  readonly #warmer: Warmer;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(parts: SpaceParts) {
    const { clock, events, tick, bus, storages, runtimes, provided, dependents, saver, journals, warmer } =
      parts;
    this.#saver = saver;
    this.#journals = journals;
    this.#warmer = warmer;
    this.#dependents = dependents;
    this.#clock = clock;
    this.#events = events;
    this.#tick = tick;
    this.#bus = bus;
    this.#storages = storages;
    this.#runtimes = runtimes;
    this.#provided = provided;
    this.#explainer = new Explainer(parts);
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
    this.refuseClosed("registerStorage was called");
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
    this.refuseClosed("registerBus was called");
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
   * Runs the function as one request. Within it, a node whose class has the tier `perRequest()`
   * reads the same value throughout, whatever others invalidate. The request's own writes and
   * invalidations drop the value, so it reads what it has written.
   *
   * The request holds through every `await` of the function, for the nodes of every `Cacheme`. It
   * ends when the function's promise settles, or when `until` closes. Work that goes on afterwards
   * reads as outside. A request within a request is a part of it.
   *
   * @returns the function's answer
   * @throws ConfigurationError `CACHEME_INVALID_OPTION`; the error of the function
   * @example
   * ```ts
   * const page = await requestScope(() => render(request));
   * app.use((_request, response, next) => requestScope(next, { until: response }));
   * ```
   */
  requestScope<T>(body: () => PromiseLike<T>, options?: { readonly until?: undefined }): Promise<T>;
  requestScope<T>(body: () => T, options?: RequestScopeOptions): T;
  requestScope(body: () => unknown, options?: RequestScopeOptions): unknown {
    return requestScope(body, options);
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
   * Removes the entries whose `name:key` matches a pattern from every tier. In the pattern `*` stands
   * for any string, and `\*` for a star. A class need not have been used in this process. Reads under
   * way are answered, and their loaded values are not stored.
   *
   * Remote storages list their keys in pages, so it takes as long as that. A storage that cannot
   * list its keys drops every entry of the classes that may match, by one write for each class, and
   * counts none. So it is with the keys that are too long to be stored as they are. To invalidate
   * many entries often, give them a tag.
   *
   * @returns the number of removed entries; an entry in two storages counts twice
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid pattern
   * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a remote storage could not be
   *   reached; the others are done
   * @example
   * ```ts
   * const count = await invalidateMatching("user:*");
   * await invalidateMatching("report:2025-*:monthly", { onProgress: (removed) => console.log(removed) });
   * ```
   */
  async invalidateMatching(pattern: string, options: MatchingOptions = {}): Promise<number> {
    return await this.#invalidateMatching(KeyPattern.parse(pattern), options, this.#remotes());
  }

  /**
   * Removes every entry of a node class from every tier, of every version; as
   * {@link invalidateMatching} does for a pattern.
   *
   * @returns the number of removed entries; an entry in two storages counts twice
   * @throws ConfigurationError `CACHEME_INVALID_NODE` for a class that is not a node's
   * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a remote storage could not be
   *   reached; the others are done
   * @example
   * ```ts
   * await invalidateAll(UserNode);
   * ```
   */
  async invalidateAll(nodeClass: NodeClass, options: MatchingOptions = {}): Promise<number> {
    const kind = this.#runtimes.kindOf(nodeClass);
    const isKnownEverywhere = kind !== undefined && !this.#runtimes.hasDependents;
    const storages = isKnownEverywhere ? kind.remoteTiers.map(({ storage }) => storage) : this.#remotes();
    return await this.#invalidateMatching(this.#patternOf(nodeClass), options, storages);
  }

  /**
   * Drops the local tiers' entries of a node class, of the storage of that name, or of the whole
   * space. Operations under way are answered, and only stored in remote tiers. Remote tiers keep
   * their entries, and fill the local ones again: if values have changed, use {@link invalidate}.
   *
   * With `{ remote: true }` it removes every entry of the space from every tier, also those that
   * other processes have stored; as {@link invalidateMatching} does for a pattern.
   *
   * @param what a node class, the name of a storage, or nothing for all
   * @returns with `remote` the number of removed entries; an entry in two storages counts twice
   * @throws ConfigurationError `CACHEME_UNKNOWN_STORAGE`, or `CACHEME_INVALID_NODE` for a class
   *   that is not a node's
   * @throws IncompleteError with `remote`: `CACHEME_INVALIDATION_INCOMPLETE` if a remote storage
   *   could not be reached; the others are done
   * @example
   * ```ts
   * afterEach(() => clear());
   * await clear({ remote: true });
   * ```
   */
  clear(what?: NodeClass | StorageName): Promise<void>;
  clear(options: ClearOptions): Promise<number>;
  clear(what?: NodeClass | StorageName | ClearOptions): Promise<unknown> {
    return typeof what === "object" && "remote" in what
      ? this.#invalidateMatching(KeyPattern.startingWith(""), what, this.#remotes())
      : this.#clearLocally(what);
  }

  async #clearLocally(what: NodeClass | StorageName | undefined): Promise<void> {
    dropOwnReads(this.#runtimes.tags, typeof what === "function" ? this.#runtimes.kindOf(what) : undefined);
    if (what === undefined) for (const kind of this.#runtimes) kind.clearLocally();
    else if (typeof what !== "string") this.#runtimes.kindOf(what)?.clearLocally();
    else {
      this.#storages.get(what);
      for (const kind of this.#runtimes) kind.clearLocally(what);
    }
    if (what === undefined || typeof what === "string") this.#storages.removeUnused(() => true, what);
    else {
      const pattern = this.#runtimes.keys.pattern(this.#patternOf(what));
      this.#storages.removeUnused((key) => pattern.matchesStored(key));
    }
  }

  /**
   * Runs a database transaction, and invalidates after its commit. Each `invalidate`,
   * `invalidateTags` and `invalidateScope` within the function only notes its keys and tags, and so
   * does a `save`, whose source is written at once; one that writes behind waits, too. If the function's promise resolves, they are
   * invalidated, each once. If it rejects, the database has rolled back, and nothing is
   * invalidated; the caches drop the keys, because a read within may have stored its own rows.
   *
   * It holds through every `await` of the function. A call within another one joins that one.
   *
   * @returns the function's answer
   * @throws the error of the function
   * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if the transaction is committed and a
   *   remote storage could not be reached; see {@link Cacheme.invalidate}
   * @example
   * ```ts
   * await afterCommit(() =>
   *   db.transaction(async (tx) => {
   *     await tx.rename(1, "Ada");
   *     await invalidate(new UserNode(1));
   *   }),
   * );
   * ```
   */
  async afterCommit<T>(transaction: () => MaybePromise<T>): Promise<T> {
    const { answer, commit } = await inCommit(this.#runtimes, transaction, (removals) =>
      // A tier that cannot be reached is tried again; the caller needs the transaction's error.
      Promise.all(removals.map((removal) => this.#saver.forget(removal))),
    );
    const { removals, tags, tasks } = commit.committed();
    const outcomes = await Promise.allSettled([
      invalidate(removals, this.#clock, this.#events, this.#dependents),
      tags.length === 0 ? undefined : this.#invalidateTags(tags),
      ...tasks.map((task) => task()),
    ]);
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    return answer;
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
   * Returns the reasons why a read of the node would hit or miss now: each tier's finding, its age,
   * its tags, and the verdict. It asks every remote tier, loads nothing, and does not count in the
   * statistics.
   *
   * @example
   * ```ts
   * const { origin, tiers } = await explain(new UserNode(1));
   * console.log(origin ?? "would load", tiers.map(({ storage, verdict }) => `${storage}: ${verdict}`));
   * ```
   */
  explain(node: Node): Promise<Explanation> {
    try {
      const runtime = this.#runtimes.of(node);
      return this.#explainer.explain(runtime, node, runtime.keyOf(node));
    } catch (error) {
      return Promise.reject(error);
    }
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
   * @throws ConfigurationError `CACHEME_PREFIX_IN_USE` once a node class is in use, or a bus is
   *   registered
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

  /** @throws CachemeError `CACHEME_CLOSED` after `close()` */
  protected refuseClosed(call: string): void {
    if (this.#closing !== undefined) throw closedError(call);
  }

  async #close(): Promise<void> {
    this.#warmer.close();
    this.#runtimes.retire();
    this.#storages.retire();
    this.#bus.retire();
    await new Promise<void>((sent) => this.#tick.add(sent)); // First sends the requests that this tick has gathered.
    await this.#saver.idle();
    await this.#journals.close();
    await this.#runtimes.finish();
    await this.#bus.close();
    await this.#storages.close();
  }

  async #invalidateTags(names: readonly string[]): Promise<void> {
    const commit = pendingCommit(this.#runtimes);
    if (commit !== undefined) {
      commit.invalidateTags(names);
      return;
    }
    const { tags } = this.#runtimes;
    const given = Array.from(new Set(names), (name) => tags.of(name));
    await invalidateTags(given, this.#environment(this.#remotes()));
  }

  #invalidateMatching(
    pattern: KeyPattern,
    options: MatchingOptions,
    storages: readonly RemoteBatch[],
  ): Promise<number> {
    return invalidateMatching(this.#runtimes.keys.pattern(pattern), this.#environment(storages), options);
  }

  #patternOf(nodeClass: NodeClass): KeyPattern {
    const name = this.#runtimes.kindOf(nodeClass)?.name ?? resolveMeta(nodeClass).name;
    return KeyPattern.startingWith(`${name}:`);
  }

  #remotes(): readonly RemoteBatch[] {
    return remotesOf(this.#storages);
  }

  #environment(storages: readonly RemoteBatch[]): MatchingInvalidation {
    return {
      table: this.#runtimes.tags,
      clock: this.#clock,
      events: this.#events,
      storages,
      kinds: this.#runtimes,
      publish: (news, done) => this.#bus.tagInvalidated(news, done),
      dependents: this.#dependents,
      removeUnused: (accepts) => this.#storages.removeUnused(accepts),
    };
  }
}
