import type { Clock } from "../clock.js";
import type { Events } from "../events.js";
import { checkedKey } from "../node/key.js";
import type { Node } from "../node/node.js";
import type { GetOptions } from "../node/options.js";
import { requestTier } from "../node/policy/request-tier.js";
import { type KeptNode, KeptRead } from "../request/kept-read.js";
import type { Request } from "../request/request.js";
import { leaveOnAbort } from "./abort.js";
import { checkedOptions } from "./checked-options.js";
import type { ReadParts } from "./read-parts.js";

/** A read past the request: by the tiers that several requests share. */
type SharedRead = (options: GetOptions<Node> | undefined) => Promise<unknown>;

/**
 * Reads for a request. The first read of a node asks the shared tiers, and the request keeps its
 * answer, from the moment when it is under way. So every further read of the request has the same
 * value.
 */
export class RequestReads {
  readonly #clock: Clock;
  readonly #events: Events;

  constructor({ clock, events }: Pick<ReadParts, "clock" | "events">) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Reads a node, from the request if it has an answer. */
  read(
    request: Request,
    node: KeptNode,
    options: GetOptions<Node> | undefined,
    shared: SharedRead,
  ): Promise<unknown> {
    const { runtime, key } = node;
    if (options === undefined) return this.#readPlain(request, node, options, undefined, shared);
    checkedKey(key, runtime.name);
    const { signal, fresh, maxAge } = checkedOptions(options, runtime.name, key);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (fresh || maxAge !== Number.POSITIVE_INFINITY) return this.#replace(request, node, shared(options));
    return this.#readPlain(request, node, options, signal, shared);
  }

  /** Does the same for a synchronous read, which cannot wait for a read under way. */
  readSynchronously(request: Request, node: KeptNode, shared: () => unknown): unknown {
    const kept = request.find(node.runtime.kind, node.key);
    if (kept !== undefined && !kept.isPending) {
      this.#count(node, 1);
      return kept.value;
    }
    const value = shared();
    request.keepValue(node, value, this.#clock.now());
    return value;
  }

  #readPlain(
    request: Request,
    node: KeptNode,
    options: GetOptions<Node> | undefined,
    signal: AbortSignal | undefined,
    shared: SharedRead,
  ): Promise<unknown> {
    const known = request.find(node.runtime.kind, node.key);
    if (known !== undefined) this.#joined(known);
    const kept = known ?? this.#begin(request, node, options, shared);
    kept.join(signal !== undefined);
    const answer = kept.answer();
    if (signal === undefined) return answer;
    return leaveOnAbort(answer, signal, () => {
      if (kept.leave(signal.reason)) request.drop(kept);
    });
  }

  /** Begins the first read of a node. It is aborted when all its readers have left by their signals. */
  #begin(
    request: Request,
    node: KeptNode,
    options: GetOptions<Node> | undefined,
    shared: SharedRead,
  ): KeptRead {
    const kept = new KeptRead(node, this.#clock.now());
    const promise = shared(
      options?.signal === undefined ? options : { ...options, signal: kept.makeSignal() },
    );
    kept.begin(promise);
    request.keep(kept);
    promise.then(
      (value) => {
        kept.settle(value);
        this.#count(kept, kept.joined);
      },
      () => {
        request.drop(kept); // The next reader reads again.
        node.runtime.stats.misses += kept.joined;
      },
    );
    return kept;
  }

  /** Counts a reader of a kept answer. One that waits counts by the outcome. */
  #joined(kept: KeptRead): void {
    if (!kept.isPending) {
      this.#count(kept, 1);
      return;
    }
    kept.joined += 1;
    kept.runtime.stats.coalesced += 1;
  }

  /**
   * Keeps the answer of a read with requirements in the place of an older answer. If the request has
   * written meanwhile, the answer may be older than that, and none is kept. If two such reads overlap,
   * the answer of the later one stays.
   */
  #replace(request: Request, node: KeptNode, answer: Promise<unknown>): Promise<unknown> {
    const { changes } = request;
    const { kind } = node.runtime;
    request.replacements += 1;
    const order = request.replacements;
    answer.then(
      (value) => {
        if (request.changes !== changes) request.dropKey(kind, node.key);
        else if ((request.find(kind, node.key)?.order ?? 0) < order)
          request.keepValue(node, value, this.#clock.now(), order);
      },
      () => {}, // The older answer stays.
    );
    return answer;
  }

  #count({ runtime, key }: KeptNode, readers: number): void {
    if (readers === 0) return;
    const { hits } = runtime.stats;
    const place = runtime.kind.requestPlace;
    hits[place] = (hits[place] ?? 0) + readers;
    if (this.#events.listeners.hit !== null)
      this.#events.emit("hit", { node: runtime.name, key, storage: requestTier, readers });
  }
}
