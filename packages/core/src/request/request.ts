import type { LearnedRead } from "../runtime/learned-reads.js";
import type { NodeKind } from "../runtime/node-kind.js";
import { sharedState } from "../shared-state.js";
import { type KeptNode, KeptRead } from "./kept-read.js";

/** A request under way: the answers of its reads. */
export class Request {
  readonly #kept = new Map<NodeKind, Map<string, KeptRead>>();
  isOpen = true;
  /** The last read of a class that learns. */
  lastRead: LearnedRead | undefined;
  /** The number of the request's own writes and invalidations that have begun. */
  changes = 0;
  /** The number of its reads with requirements that have begun. */
  replacements = 0;

  find(kind: NodeKind, key: string): KeptRead | undefined {
    return this.#kept.get(kind)?.get(key);
  }

  /** Keeps a read in the place of an older one. A request that has ended keeps nothing. */
  keep(read: KeptRead): void {
    if (!this.isOpen) return;
    const { kind } = read.runtime;
    const known = this.#kept.get(kind);
    if (known === undefined) this.#kept.set(kind, new Map([[read.key, read]]));
    else known.set(read.key, read);
  }

  /** Keeps a value. Its caller has it, too, and may change it. */
  keepValue(node: KeptNode, value: unknown, now: number, order: number = 0): void {
    const { runtime, key } = node;
    const storage = runtime.nearest?.storage;
    try {
      const read = new KeptRead(node, now);
      read.order = order;
      read.settle(storage?.copy === undefined ? value : storage.copy(value));
      this.keep(read);
    } catch {
      this.dropKey(runtime.kind, key); // No tier can keep such a value.
    }
  }

  /** Drops a read, unless another one is in its place. */
  drop(read: KeptRead): void {
    const { kind } = read.runtime;
    if (this.find(kind, read.key) === read) this.dropKey(kind, read.key);
  }

  dropKey(kind: NodeKind, key: string): void {
    this.#kept.get(kind)?.delete(key);
  }

  dropWhere(concerns: (read: KeptRead) => boolean): void {
    for (const reads of this.#kept.values()) {
      for (const [key, read] of reads) if (concerns(read)) reads.delete(key);
    }
  }

  end(): void {
    this.isOpen = false;
    this.#kept.clear();
    this.lastRead = undefined;
  }
}

/**
 * Returns the request in which the caller runs; `undefined` outside of requests, after the end of
 * one, and in a load. A load may answer several requests, so it reads past all of them.
 */
export function currentRequest(): Request | undefined {
  if (sharedState.requestsRunning === 0 || isInLoad()) return undefined;
  return openRequest();
}

/** Does the same, also in a load. */
export function openRequest(): Request | undefined {
  // Copies of this package with one contract have the same requests.
  const request = sharedState.requestFrames.getStore() as Request | undefined;
  return request?.isOpen === true ? request : undefined;
}

/** Returns whether the caller runs in a load. */
export function isInLoad(): boolean {
  if (sharedState.synchronousLoads.length > 0) return true;
  if (sharedState.loadsRunning === 0) return false;
  const load = sharedState.loadFrames.getStore() as { readonly ended: boolean } | undefined;
  return load?.ended === false;
}
