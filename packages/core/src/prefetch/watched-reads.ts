import type { Clock } from "../clock.js";
import type { Node } from "../node/node.js";
import { currentRequest, isInLoad, type Request } from "../request/request.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { LearnedRead } from "../runtime/learned-reads.js";
import { setImmediate } from "../timers.js";
import { idOf, type Prefetches } from "./prefetches.js";

/** A sequence of reads: of a request, or of all callers outside of requests. */
type Sequence = Pick<Request, "lastRead">;

/**
 * Watches the reads of classes that learn, and of classes with nodes that were loaded in advance. It
 * is called for no other class.
 */
export class WatchedReads {
  readonly #clock: Clock;
  readonly #prefetches: Prefetches;
  readonly #outside: Sequence = { lastRead: undefined };

  constructor(clock: Clock, prefetches: Prefetches) {
    this.#clock = clock;
    this.#prefetches = prefetches;
  }

  /** The last read of the caller's sequence. */
  get last(): LearnedRead | undefined {
    return (currentRequest() ?? this.#outside).lastRead;
  }

  /**
   * Records a read that begins now.
   *
   * @param after the read before it; `undefined` if it is the first one. The nodes of a list all come
   *   after the same one
   */
  reads(runtime: ClassRuntime, node: Node, key: string, after: LearnedRead | undefined): void {
    if (typeof key !== "string") return; // The read will be refused.
    const { kind } = runtime;
    if (!kind.prefetched.isEmpty) {
      kind.prefetched.dropExpired(this.#clock.now());
      // An entry of a local tier may have been evicted or invalidated meanwhile.
      const isOfUse =
        kind.prefetched.take(key) &&
        (runtime.remoteTiers.length > 0 || this.#prefetches.isThere(runtime, key));
      if (isOfUse) runtime.stats.prefetchHits += 1;
      if (kind.prefetched.isEmpty) kind.watch();
    }
    if (kind.learned === undefined || isInLoad()) return;
    const read: LearnedRead = { table: kind.learned, id: idOf(runtime, key), node, key };
    if (after !== undefined && after.id !== read.id) after.table.add(after.key, read);
    (currentRequest() ?? this.#outside).lastRead = read;
    const probability = runtime.meta.prefetch?.learning?.probability;
    if (probability !== undefined) this.#use(runtime, node, key, probability);
  }

  #use(runtime: ClassRuntime, node: Node, key: string, probability: number): void {
    const likely = runtime.kind.learned
      ?.likelyAfter(key, probability)
      .filter((next) => this.#prefetches.isMissing(next));
    if (likely === undefined || likely.length === 0) return;
    // In a later turn, so that the reader does not wait for it.
    setImmediate(() => this.#prefetches.likely({ runtime, node, key }, likely));
  }
}
