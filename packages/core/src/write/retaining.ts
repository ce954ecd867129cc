import { Failure } from "../entry/failure.js";
import { shortened } from "../entry/jitter.js";
import { type Lifetime, lifetimeOf } from "../entry/lifetime.js";
import type { Node } from "../node/node.js";
import { policyError } from "../node/policy/failure.js";
import type { NodeKind } from "../runtime/node-kind.js";
import type { NotStored } from "./not-stored.js";

/** A loaded value's node, and the decisions of its load. */
export interface Retainable {
  readonly node: Node;
  readonly key: string;
  /** Milliseconds; `undefined` for the class's own. */
  ttl: number | undefined;
  /** Whether the value is not stored. */
  skip: boolean;
}

/** Decides by a class's options whether a value is stored, and how long it is kept. */
export class Retaining {
  readonly #notStored: NotStored;
  readonly #random: () => number;

  constructor(notStored: NotStored, random: () => number) {
    this.#notStored = notStored;
    this.#random = random;
  }

  /**
   * Returns whether a loaded value is stored, and sets its ttl. Never throws, because a reader waits
   * for the value: a failing function of the class is reported, and the value is not stored.
   */
  decide(kind: NodeKind, load: Retainable, value: unknown): boolean {
    const { retention } = kind.meta;
    if (load.skip || retention === undefined || Failure.is(value)) return !load.skip;
    const { node, key } = load;
    try {
      if (!retention.admits(value, node, kind.name, key)) return false;
      load.ttl ??= retention.ttlOf(value, node, kind.name, key);
      return true;
    } catch (error) {
      this.#notStored.report(kind, key, policyError(error, kind.name, key));
      return false;
    }
  }

  /**
   * Returns the time for which the error of a load is kept, in milliseconds; `undefined` if it is not
   * kept. Never throws, as {@link decide} does not.
   */
  ttlOfError(
    kind: NodeKind,
    { node, key }: Pick<Retainable, "node" | "key">,
    error: unknown,
  ): number | undefined {
    try {
      return kind.meta.errors?.ttlOf(error, node, kind.name, key);
    } catch (thrown) {
      this.#notStored.report(kind, key, policyError(thrown, kind.name, key));
      return undefined;
    }
  }

  /** Returns the lifetime of a value that is stored now. */
  lifetimeOf({ meta }: NodeKind, ttl: number | undefined, now: number): Lifetime {
    return lifetimeOf(ttl === undefined ? ttl : shortened(ttl, meta.jitter, this.#random), now);
  }
}
