import type { Clock } from "../clock.js";
import type { Entry } from "../entry/entry.js";
import { isFresh } from "../entry/lifetime.js";
import { checkList } from "../node/checked-list.js";
import { checkedKey } from "../node/key.js";
import type { Node } from "../node/node.js";
import type { GetOptions, ReadOptions } from "../node/options.js";
import { CallContext } from "../runtime/call-context.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { ClassRuntimes } from "../runtime/class-runtimes.js";
import { checkedOptions } from "./checked-options.js";
import type { Joining } from "./joining.js";
import type { LocalTiers } from "./local-tiers.js";

/** A node of a list that no local tier has. */
interface Missing {
  readonly place: number;
  readonly answer: Promise<unknown>;
}

/** The reads besides a plain hit in the nearest local tier. */
export class Reader {
  readonly #clock: Clock;
  readonly #runtimes: ClassRuntimes;
  readonly #local: LocalTiers;
  readonly #joining: Joining;

  constructor(clock: Clock, runtimes: ClassRuntimes, local: LocalTiers, joining: Joining) {
    this.#clock = clock;
    this.#runtimes = runtimes;
    this.#local = local;
    this.#joining = joining;
  }

  /** Reads a node that no local tier has, or that is read with options. */
  beyond(
    runtime: ClassRuntime,
    node: Node,
    key: string,
    options: GetOptions<Node> | undefined,
    call: CallContext,
  ): Promise<unknown> {
    if (options === undefined) return this.#joining.read(runtime, node, key, call);
    const { signal, fresh, maxAge, override } = checkedOptions(options, runtime.name, key);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const entry = fresh ? undefined : this.#local.hitWithin(runtime, key, maxAge);
    if (entry !== undefined) return Promise.resolve(entry.value);
    const previous = fresh || maxAge !== Number.POSITIVE_INFINITY ? this.peekLocal(runtime, key) : undefined;
    const wishes = { refreshes: fresh, maxAge, override, previous, signal };
    return this.#joining.readWith(runtime, node, key, call, wishes);
  }

  /** Reads the nodes. Rejects with the first failure. */
  all(nodes: readonly Node[], options: ReadOptions | undefined): Promise<unknown[]> {
    checkList("getAll", nodes);
    const values = new Array<unknown>(nodes.length);
    const missing = this.#readEach(nodes, options, values);
    if (missing.length === 0) return Promise.resolve(values);
    return new Promise((resolve, reject) => {
      let waiting = missing.length;
      for (const { place, answer } of missing) {
        answer.then((value) => {
          values[place] = value;
          waiting -= 1;
          if (waiting === 0) resolve(values);
        }, reject);
      }
    });
  }

  /** Reads the nodes, each with an outcome of its own. */
  allSettled(
    nodes: readonly Node[],
    options: ReadOptions | undefined,
  ): Promise<PromiseSettledResult<unknown>[]> {
    checkList("getAllSettled", nodes);
    const values = new Array<unknown>(nodes.length);
    const missing = this.#readEach(nodes, options, values);
    const outcomes: PromiseSettledResult<unknown>[] = Array.from(values, (value) => ({
      status: "fulfilled",
      value,
    }));
    if (missing.length === 0) return Promise.resolve(outcomes);
    return new Promise((resolve) => {
      let waiting = missing.length;
      const settled = (place: number, outcome: PromiseSettledResult<unknown>) => {
        outcomes[place] = outcome;
        waiting -= 1;
        if (waiting === 0) resolve(outcomes);
      };
      for (const { place, answer } of missing) {
        answer.then(
          (value) => settled(place, { status: "fulfilled", value }),
          (reason) => settled(place, { status: "rejected", reason }),
        );
      }
    });
  }

  /** Returns the local tiers' entry, without counting. */
  peekLocal(runtime: ClassRuntime, key: string): Entry | undefined {
    const now = this.#clock.now();
    for (const { name, storage } of runtime.localTiers) {
      const entry = storage.peek(runtime.space, key);
      if (entry === undefined || !isFresh(entry, now)) continue;
      const { value, writtenAt, freshUntil, hits } = entry;
      return { value, writtenAt, freshUntil, origin: name, ttl: freshUntil - now, size: undefined, hits };
    }
    return undefined;
  }

  /** Returns the tiers' entry, without loading, filling or counting. */
  peek(runtime: ClassRuntime, key: string): Promise<Entry | undefined> {
    const entry = this.peekLocal(runtime, key);
    return entry === undefined ? this.#joining.peek(runtime, key) : Promise.resolve(entry);
  }

  /** Puts the local tiers' values in their places, and begins to read the rest, as one call. */
  #readEach(nodes: readonly Node[], options: ReadOptions | undefined, values: unknown[]): Missing[] {
    const missing: Missing[] = [];
    let call: CallContext | undefined;
    for (let place = 0; place < nodes.length; place++) {
      const node = nodes[place] as Node; // The place is within the list.
      try {
        const runtime = this.#runtimes.of(node);
        const key = node.key();
        const entry = options === undefined ? this.#local.hit(runtime, key) : undefined;
        if (entry !== undefined) values[place] = entry.value;
        else {
          call ??= new CallContext();
          const answer = this.beyond(runtime, node, checkedKey(key, runtime.name), options, call);
          missing.push({ place, answer });
        }
      } catch (error) {
        missing.push({ place, answer: Promise.reject(error) });
      }
    }
    return missing;
  }
}
