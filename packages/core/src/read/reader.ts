import type { CachedError } from "../cached-error.js";
import type { Clock } from "../clock.js";
import type { Entry } from "../entry/entry.js";
import { checkList } from "../node/checked-list.js";
import { checkedKey } from "../node/key.js";
import type { Node } from "../node/node.js";
import type { GetOptions, ReadOptions } from "../node/options.js";
import { WatchedReads } from "../prefetch/watched-reads.js";
import { currentRequest } from "../request/request.js";
import type { LoadOverride } from "../runtime/asking.js";
import { CallContext } from "../runtime/call-context.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { ClassRuntimes } from "../runtime/class-runtimes.js";
import { answer, type ListAnswer, ListOutcomes, ListValues } from "../runtime/list-answer.js";
import { sharedState } from "../shared-state.js";
import type { LocalEntry } from "../storage/local-storage.js";
import { tagNames } from "../tags/known-generation.js";
import { isValid } from "../tags/valid-entry.js";
import { setImmediate } from "../timers.js";
import { checkedOptions } from "./checked-options.js";
import type { Joining } from "./joining.js";
import { localErrorHit } from "./local-errors.js";
import type { LocalTiers } from "./local-tiers.js";
import { currentRecording } from "./recording.js";
import { RequestReads } from "./request-reads.js";

/**
 * The most nodes of a list that one turn of the event loop reads, which takes a few milliseconds. A longer list goes on in the next
 * turns, while the storages answer. Above the keys of one part of a batch, so that the parts of a long list share the lanes.
 */
const nodesPerTurn = 2_000;

/** The reads besides a plain hit in the nearest local tier. */
export class Reader {
  readonly #clock: Clock;
  readonly #runtimes: ClassRuntimes;
  readonly #local: LocalTiers;
  readonly #joining: Joining;
  /** The reads of classes with the tier `perRequest()`. */
  readonly #requests: RequestReads;
  readonly #watched: WatchedReads;

  constructor(clock: Clock, runtimes: ClassRuntimes, local: LocalTiers, joining: Joining) {
    this.#clock = clock;
    this.#runtimes = runtimes;
    this.#local = local;
    this.#joining = joining;
    this.#requests = new RequestReads(joining.parts);
    this.#watched = new WatchedReads(clock, joining.parts.prefetches);
  }

  /** Reads a node that no local tier has, or that is read with options. The key is as `key()` returned it, unchecked. */
  beyond(
    runtime: ClassRuntime,
    node: Node,
    key: string,
    options: GetOptions<Node> | undefined,
    call?: CallContext,
  ): Promise<unknown> {
    if (runtime.isPlain) return this.#shared(runtime, node, key, options, call);
    if (options?.fresh !== true) this.#watched.reads(runtime, node, key, this.#watched.last);
    return this.#special(runtime, node, key, options, call);
  }

  /** Does the same at once. No local tier was read. */
  synchronously(runtime: ClassRuntime, node: Node, key: string, shared: () => unknown): unknown {
    this.#watched.reads(runtime, node, key, this.#watched.last);
    const request = runtime.isPerRequest ? currentRequest() : undefined;
    return request === undefined
      ? shared()
      : this.#requests.readSynchronously(request, { runtime, node, key }, shared);
  }

  /** Reads a node of a class with the tier `perRequest()`, or one that is watched. No local tier was read. */
  #special(
    runtime: ClassRuntime,
    node: Node,
    key: string,
    options: GetOptions<Node> | undefined,
    call: CallContext | undefined,
  ): Promise<unknown> {
    const request = runtime.isPerRequest ? currentRequest() : undefined;
    if (request === undefined) return this.#hitOrShared(runtime, node, key, options, call);
    return this.#requests.read(request, { runtime, node, key }, options, (own) =>
      this.#hitOrShared(runtime, node, key, own, call),
    );
  }

  #hitOrShared(
    runtime: ClassRuntime,
    node: Node,
    key: string,
    options: GetOptions<Node> | undefined,
    call: CallContext | undefined,
  ): Promise<unknown> {
    const entry = options === undefined ? this.#local.hit(runtime, key, node) : undefined;
    return entry === undefined
      ? this.#shared(runtime, node, key, options, call)
      : Promise.resolve(entry.value);
  }

  #shared(
    runtime: ClassRuntime,
    node: Node,
    key: string,
    options: GetOptions<Node> | undefined,
    call: CallContext | undefined,
  ): Promise<unknown> {
    if (options === undefined) {
      const error = this.#cachedError(runtime, key, Number.POSITIVE_INFINITY);
      return error === undefined ? this.#joining.read(runtime, node, key, call) : Promise.reject(error);
    }
    checkedKey(key, runtime.name);
    const { signal, fresh, maxAge, override } = checkedOptions(options, runtime.name, key);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const entry = fresh ? undefined : this.#localHit(runtime, node, key, maxAge, override);
    if (entry !== undefined) return Promise.resolve(entry.value);
    const error = fresh ? undefined : this.#cachedError(runtime, key, maxAge);
    if (error !== undefined) return Promise.reject(error);
    const wishes = { refreshes: fresh, maxAge, override, signal };
    return this.#joining.readWith(runtime, node, key, call, wishes);
  }

  /** Returns the error that a local tier has in the place of a value, for a class that keeps errors. */
  #cachedError(runtime: ClassRuntime, key: string, maxAge: number): CachedError | undefined {
    return runtime.meta.errors === undefined
      ? undefined
      : localErrorHit(this.#joining.parts, runtime, key, maxAge);
  }

  /** A reader with a limit of age gets no stale value. */
  #localHit(
    runtime: ClassRuntime,
    node: Node,
    key: string,
    maxAge: number,
    override: LoadOverride | undefined,
  ): LocalEntry | undefined {
    return maxAge === Number.POSITIVE_INFINITY
      ? this.#local.hitAny(runtime, key, node, override)
      : this.#local.hitWithin(runtime, key, maxAge);
  }

  /** Gives the leases of all running loads back. */
  close(): void {
    this.#joining.close();
  }

  /** Reads the nodes. Rejects with the first failure. */
  all(nodes: readonly Node[], options: ReadOptions | undefined): Promise<unknown[]> {
    checkList("getAll", nodes);
    const list = new ListValues(nodes.length);
    this.#readList(nodes, options, list);
    return list.promise();
  }

  /** Reads the nodes, each with an outcome of its own. */
  allSettled(
    nodes: readonly Node[],
    options: ReadOptions | undefined,
  ): Promise<PromiseSettledResult<unknown>[]> {
    checkList("getAllSettled", nodes);
    const list = new ListOutcomes(nodes.length);
    this.#readList(nodes, options, list);
    return list.promise();
  }

  /** Returns the local tiers' entry, without counting. */
  peekLocal(runtime: ClassRuntime, key: string): Entry | undefined {
    const now = this.#clock.now();
    if (sharedState.recordings > 0) currentRecording()?.add(runtime, key, undefined);
    for (const { name, storage } of runtime.localTiers) {
      const entry = storage.peek(runtime.space, key);
      if (entry === undefined || !isValid(entry, now)) continue;
      const { value, writtenAt, freshUntil, hits, generations, kept } = entry;
      const tags = tagNames(generations);
      return {
        value,
        writtenAt,
        freshUntil,
        origin: name,
        ttl: freshUntil - now,
        size: undefined,
        hits,
        tags,
        kept,
      };
    }
    return undefined;
  }

  /** Returns the tiers' entry, without loading, filling or counting. */
  peek(runtime: ClassRuntime, node: Node, key: string): Promise<Entry | undefined> {
    const entry = this.peekLocal(runtime, key);
    return entry === undefined ? this.#joining.peek(runtime, node, key) : Promise.resolve(entry);
  }

  /** Reads the nodes of a warm-up as one call. */
  warm(nodes: readonly Node[], list: ListAnswer): void {
    this.#readPart(nodes, 0, undefined, list, undefined);
  }

  /** Reads the nodes as one call. */
  #readList(nodes: readonly Node[], options: ReadOptions | undefined, list: ListAnswer): void {
    if (nodes.length <= nodesPerTurn) this.#readPart(nodes, 0, options, list, undefined);
    // The caller may change its list before the last turn.
    else this.#readTurn(nodes.slice(), 0, options, list, new CallContext());
  }

  #readTurn(
    nodes: readonly Node[],
    from: number,
    options: ReadOptions | undefined,
    list: ListAnswer,
    call: CallContext,
  ): void {
    const next = from + nodesPerTurn;
    const last = this.#readPart(nodes.slice(from, next), from, options, list, call);
    if (next >= nodes.length) return;
    const go = (): void => this.#readTurn(nodes, next, options, list, call);
    // Waits for the storage, so that few flights are open at once and die young.
    setImmediate(() => {
      const drained = last?.remoteTiers[0]?.storage.drained();
      if (drained === undefined) go();
      else void drained.then(go);
    });
  }

  /**
   * Puts the local tiers' values in their places, and begins to read the rest.
   *
   * @returns the class of the last node that no local tier has
   */
  #readPart(
    nodes: readonly Node[],
    from: number,
    options: ReadOptions | undefined,
    list: ListAnswer,
    shared: CallContext | undefined,
  ): ClassRuntime | undefined {
    let call = shared;
    let last: ClassRuntime | undefined;
    const isWarming = list.isBulk === true;
    const isInRequest = !isWarming && currentRequest() !== undefined;
    const after = this.#watched.last;
    for (let index = 0; index < nodes.length; index++) {
      const node = nodes[index] as Node; // The index is within the list.
      const place = from + index;
      try {
        const runtime = this.#runtimes.of(node);
        const key = runtime.scope === undefined ? node.key() : runtime.scope.keyOf(node);
        if (!runtime.isPlain && !isWarming && options?.fresh !== true)
          this.#watched.reads(runtime, node, key, after);
        const isPlain = options === undefined && !(runtime.isPerRequest && isInRequest);
        const entry = isPlain ? this.#local.hit(runtime, key, node) : undefined;
        if (entry !== undefined) {
          list.hit(place, entry.value);
          continue;
        }
        const error = isPlain ? this.#cachedError(runtime, key, Number.POSITIVE_INFINITY) : undefined;
        if (error !== undefined) {
          list.reject(place, error);
          continue;
        }
        call ??= new CallContext();
        last = runtime;
        if (isPlain) this.#joining.readForList(runtime, node, key, call, list, place);
        else answer(list, place, this.#special(runtime, node, key, options, call));
      } catch (error) {
        list.reject(place, error);
      }
    }
    return last;
  }
}
