import type { Duration } from "../duration.js";
import type { Entry } from "../entry/entry.js";
import type { LoadContext, Node } from "./node.js";
import type { MaybePromise, ValueOf } from "./value-of.js";

/** The options of a read. */
export interface ReadOptions {
  /**
   * A signal by which the reader leaves. When it aborts, the read rejects with the signal's reason.
   * The load goes on for other readers.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * The largest age of a value since it was stored. Older values are skipped and loaded again.
   * Default: any age.
   */
  readonly maxAge?: Duration | undefined;
  /**
   * Whether to skip every tier, and to join no load that has begun. The new value is stored.
   * Default: false.
   */
  readonly fresh?: boolean | undefined;
}

/** The options of `get`. */
export interface GetOptions<N extends Node, V extends ValueOf<N> = ValueOf<N>> extends ReadOptions {
  /**
   * Loads the value instead of the node's own `load`. A reader that joins a read under way gets the
   * value of that read.
   */
  readonly load?: ((context: LoadContext<ValueOf<N>>) => MaybePromise<V>) | undefined;
}

/** The options of `getSync`. */
export interface GetSyncOptions<N extends Node, V> {
  /** Loads the value instead of the node's own `load`. Must not return a promise. */
  readonly load: (context: LoadContext<ValueOf<N>>) => V extends PromiseLike<unknown> ? never : V;
}

/** The type of `get`'s answer: the node's, or the override's if the node declares none. */
export type Answer<N extends Node, V> = unknown extends ValueOf<N> ? V : ValueOf<N>;

/** The values of a list of nodes, place by place. */
export type ValuesOf<Ns extends readonly Node[]> = { -readonly [I in keyof Ns]: ValueOf<Ns[I]> };

/** The answers of `peekAll` for a list of nodes, place by place. */
export type EntriesOf<Ns extends readonly Node[]> = {
  -readonly [I in keyof Ns]: Entry<ValueOf<Ns[I]>> | undefined;
};

/** The outcomes of a list of nodes, place by place. */
export type OutcomesOf<Ns extends readonly Node[]> = {
  -readonly [I in keyof Ns]: PromiseSettledResult<ValueOf<Ns[I]>>;
};

/** The options of `set` and `setAll`. */
export interface SetOptions {
  /**
   * The time that the last tier keeps the value; the tiers before it keep it for at most as long.
   * Default: the tiers' own.
   */
  readonly ttl?: Duration | undefined;
  /**
   * Tags of the value beside those of the node's `tags()`, as a load adds them by `context.tag`.
   * Default: none.
   */
  readonly tags?: readonly string[] | undefined;
}
