import type { Background } from "../background.js";
import type { Clock } from "../clock.js";
import { CachemeError, typeName } from "../errors.js";
import type { Events } from "../events.js";
import type { Node } from "../node/node.js";
import { isThenable } from "../node/thenable.js";
import { optionError } from "../option-checks.js";
import type { Asking, FlightOptions } from "../runtime/asking.js";
import { CallContext } from "../runtime/call-context.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { ClassRuntimes } from "../runtime/class-runtimes.js";
import type { Flight } from "../runtime/flight.js";
import type { Prefetching } from "../runtime/flight-steps.js";
import type { NodeKind } from "../runtime/node-kind.js";
import { unborn } from "../runtime/operation.js";
import { isValid } from "../tags/valid-entry.js";
import { RelatedRules } from "./related-rules.js";

/** A load whose neighbours are loaded in advance. */
export interface Loaded {
  readonly runtime: ClassRuntime;
  readonly node: Node;
  readonly key: string;
}

/** The nodes that one miss, or one read of a learned sequence, loads in advance. */
interface Chain {
  /** The kind of the first node, whose budget counts. */
  readonly root: NodeKind;
  readonly budget: number;
  /** The nodes that it has met. So circles end. */
  readonly met: Set<string>;
  started: number;
}

/** Opens a flight; may throw, because it asks the node for its tags. */
type Open = (asking: Asking, options: FlightOptions) => Flight;

/**
 * Loads nodes in the background before they are read. Each has a flight as any other read, which
 * readers may join, and which counts as no read.
 */
export class Prefetches {
  readonly rules: RelatedRules = new RelatedRules();
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #background: Background;
  readonly #runtimes: ClassRuntimes;
  /** Opens a flight. Set when the space has its reads. */
  open: Open | undefined;
  /** The number of flights under way, by the kind whose budget counts. */
  readonly #underway = new Map<NodeKind, number>();

  constructor(clock: Clock, events: Events, background: Background, runtimes: ClassRuntimes) {
    this.#clock = clock;
    this.#events = events;
    this.#background = background;
    this.#runtimes = runtimes;
  }

  /** Returns whether a load of the node may have neighbours. */
  concern(node: Node): boolean {
    return typeof node.related === "function" || !this.rules.areEmpty;
  }

  /**
   * Loads the neighbours of a missed node, whose load has answered.
   *
   * @param call the context of the reader
   */
  missed(loaded: Loaded, value: unknown, call: CallContext = new CallContext()): void {
    const { prefetch } = loaded.runtime.meta;
    if (prefetch !== undefined)
      this.#neighbours(loaded, value, call, this.#chainOf(loaded, prefetch.budget), prefetch.depth);
  }

  /** Loads nodes that are likely to be read after a node. */
  likely(read: Loaded, nodes: readonly Node[]): void {
    const { prefetch } = read.runtime.meta;
    if (prefetch === undefined) return;
    this.#start(nodes, read, this.#chainOf(read, prefetch.budget), prefetch.depth, new CallContext());
  }

  /** Returns whether a prefetch of the node could be of use. */
  isMissing(node: Node): boolean {
    try {
      const runtime = this.#runtimes.of(node);
      return this.#isNeeded(runtime, runtime.keyOf(node));
    } catch {
      return false; // Such as a scoped node whose level has no value here.
    }
  }

  /**
   * Returns whether a local tier has the node, or a remote one as far as is known, or a read of it is
   * under way.
   */
  isThere(runtime: ClassRuntime, key: string): boolean {
    if (this.#isLocal(runtime, key) || runtime.kind.prefetched.isRemote(key, this.#clock.now())) return true;
    return (runtime.kind.activities.find(key)?.flights.all.length ?? 0) > 0;
  }

  /** Without a tier, as for a class with `perRequest()` alone, nobody would find the value. */
  #isNeeded(runtime: ClassRuntime, key: string): boolean {
    return runtime.tiers.length > 0 && !this.isThere(runtime, key);
  }

  #isLocal({ localTiers, space }: ClassRuntime, key: string): boolean {
    const now = this.#clock.now();
    return localTiers.some(({ storage }) => {
      const entry = storage.peek(space, key);
      return entry !== undefined && isValid(entry, now);
    });
  }

  #chainOf({ runtime, key }: Loaded, budget: number): Chain {
    return { root: runtime.kind, budget, met: new Set([idOf(runtime, key)]), started: 0 };
  }

  #neighbours(loaded: Loaded, value: unknown, call: CallContext, chain: Chain, depth: number): void {
    if (loaded.runtime.meta.prefetch === undefined || !this.concern(loaded.node)) return;
    // A scoped node takes its key from the reader's context.
    call.runInAsyncScope(() => {
      for (const nodes of this.#listsFor(loaded, value)) this.#start(nodes, loaded, chain, depth, call);
    });
  }

  *#listsFor(loaded: Loaded, value: unknown): Generator<readonly Node[]> {
    const { node, key, runtime } = loaded;
    const read = { name: runtime.name, key, node, value };
    const sources = [() => node.related?.(value) ?? [], ...this.rules.matching(read)];
    for (const source of sources) {
      try {
        yield checkedNodes(source(read));
      } catch (error) {
        this.#report(loaded, error);
      }
    }
  }

  #start(nodes: readonly Node[], from: Loaded, chain: Chain, depth: number, call: CallContext): void {
    for (const node of nodes) {
      if (chain.started >= chain.budget || this.#count(chain.root) >= chain.budget) return;
      try {
        const runtime = this.#runtimes.of(node);
        const key = runtime.keyOf(node);
        const id = idOf(runtime, key);
        if (chain.met.has(id)) continue;
        chain.met.add(id);
        if (!this.#isNeeded(runtime, key)) continue;
        const isBackingOff = runtime.staleness?.backOffs.isBackingOff(key, this.#clock.now()) === true;
        if (!isBackingOff) this.#begin({ runtime, node, key }, chain, depth, call);
      } catch (error) {
        if (error instanceof CachemeError && error.code === "CACHEME_CLOSED") return;
        this.#report(from, error);
      }
    }
  }

  #begin(node: Loaded, chain: Chain, depth: number, call: CallContext): void {
    const { root } = chain;
    const { prefetched } = node.runtime.kind;
    const end = this.#background.begin();
    const prefetches: Prefetching = {
      loaded: (flight, value) => {
        if (depth > 1) this.#neighbours(flight, value, call, chain, depth - 1);
      },
      ended: (flight, failure) => {
        this.#release(root);
        this.#ended(flight, failure);
        end();
      },
    };
    chain.started += 1;
    this.#underway.set(root, this.#count(root) + 1);
    const isFirst = prefetched.isEmpty;
    prefetched.begin(node.key);
    if (isFirst) node.runtime.kind.watch();
    try {
      this.open?.({ ...node, call, opener: undefined }, { prefetches });
    } catch (error) {
      this.#release(root);
      prefetched.forget(node.key);
      end();
      throw error;
    }
  }

  /** Counts a prefetch, and from when on a read of it counts no more. */
  #ended(flight: Flight, failure: { readonly error: unknown } | undefined): void {
    const { runtime, key, birth, ttl, skip, fenced } = flight;
    const { prefetched } = runtime.kind;
    if (failure !== undefined) {
      prefetched.forget(key);
      this.#report(flight, failure.error);
      return;
    }
    // Otherwise another process loads it, or a remote tier has it and no local one takes it.
    const isLoaded = birth !== unborn || this.#isLocal(runtime, key);
    if (isLoaded) runtime.stats.prefetched += 1;
    const kept = skip || fenced ? 0 : (ttl ?? longest(runtime));
    prefetched.ended(key, this.#clock.now() + kept, isLoaded);
  }

  #count(kind: NodeKind): number {
    return this.#underway.get(kind) ?? 0;
  }

  #release(kind: NodeKind): void {
    const count = this.#count(kind) - 1;
    if (count > 0) this.#underway.set(kind, count);
    else this.#underway.delete(kind);
  }

  #report({ runtime, key }: Loaded, error: unknown): void {
    if (this.#events.listeners.prefetchError !== null)
      this.#events.emit("prefetchError", { node: runtime.name, key, error });
  }
}

/** Tells a node from those of all classes. */
export function idOf({ space }: ClassRuntime, key: string): string {
  return `${space}:${key}`;
}

function longest({ tiers }: ClassRuntime): number {
  return tiers.reduce((time, { ttl }) => Math.max(time, ttl), 0);
}

function checkedNodes(nodes: unknown): readonly Node[] {
  if (Array.isArray(nodes)) return nodes;
  if (isThenable(nodes)) Promise.resolve(nodes).catch(() => {}); // Its own failure would be an unhandled rejection.
  throw optionError(
    `A list of related nodes was expected, got ${typeName(nodes)}. Return a list such as [new PostsNode(1)].`,
  );
}
