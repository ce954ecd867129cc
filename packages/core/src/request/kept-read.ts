import type { Node } from "../node/node.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";

/** The node of a kept read. */
export interface KeptNode {
  readonly runtime: ClassRuntime;
  readonly node: Node;
  readonly key: string;
}

/**
 * The answer that a request keeps for a node: a value, or the promise of a read under way. A failed
 * read is not kept.
 */
export class KeptRead implements KeptNode {
  readonly runtime: ClassRuntime;
  readonly node: Node;
  readonly key: string;
  /** The time at which the read began. */
  readonly since: number;
  /**
   * The place of the read among the request's reads with requirements, in the order of their calls; 0
   * for a plain one.
   */
  order = 0;
  isPending = true;
  /** The number of readers that joined while the read was under way. */
  joined = 0;
  #value: unknown;
  #promise: Promise<unknown> | undefined;
  /** The readers that may still want the answer; `Infinity` if one of them has no signal. */
  #staying = Number.POSITIVE_INFINITY;
  #abort: AbortController | undefined;

  constructor({ runtime, node, key }: KeptNode, since: number) {
    this.runtime = runtime;
    this.node = node;
    this.key = key;
    this.since = since;
  }

  /** The signal for the read, if its first reader has one. It aborts when every reader has left. */
  makeSignal(): AbortSignal {
    this.#abort = new AbortController();
    this.#staying = 0;
    return this.#abort.signal;
  }

  /** Takes the promise of the read. */
  begin(promise: Promise<unknown>): void {
    this.#promise = promise;
  }

  /** Takes the value of the read. A reader that gets a copy has changed none of it. */
  settle(value: unknown): void {
    this.isPending = false;
    this.#value = value;
  }

  /** Counts a reader in. */
  join(hasSignal: boolean): void {
    this.#staying = hasSignal ? this.#staying + 1 : Number.POSITIVE_INFINITY;
  }

  /** Counts a reader out, and returns whether the read was aborted because it was the last one. */
  leave(reason: unknown): boolean {
    this.#staying -= 1;
    if (this.#staying > 0 || !this.isPending) return false;
    this.#abort?.abort(reason);
    return true;
  }

  /** Returns the answer for one reader: the same promise for all, unless each gets a copy. */
  answer(): Promise<unknown> {
    this.#promise ??= Promise.resolve(this.#value);
    return this.#copies ? this.#promise.then((value) => this.#copy(value)) : this.#promise;
  }

  /** The value for one reader of a settled read. */
  get value(): unknown {
    return this.#copies ? this.#copy(this.#value) : this.#value;
  }

  /** Returns whether an invalidation of such tags concerns the value. */
  carries(accepts: (tag: string) => boolean): boolean {
    const { kind, nodeTags } = this.runtime;
    // The tags of a value that only its load has told are not known here.
    if (kind.tellsTags) return true;
    try {
      return nodeTags?.of(this.node, this.key).some(({ name }) => accepts(name)) ?? false;
    } catch {
      return true; // The node's own functions have thrown.
    }
  }

  get #copies(): boolean {
    return this.runtime.nearest?.storage.copy !== undefined;
  }

  #copy(value: unknown): unknown {
    try {
      return this.runtime.nearest?.storage.copy?.(value);
    } catch {
      return value; // It cannot be copied, and was not stored for that reason.
    }
  }
}
