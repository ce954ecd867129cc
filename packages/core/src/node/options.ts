import type { Duration } from "../duration.js";
import type { Entry } from "../entry/entry.js";
import type { LoadContext, Node } from "./node.js";
import type { MaybePromise, ValueOf } from "./value-of.js";

/** How one read differs from a plain one. */
export interface ReadOptions {
  /** The reader leaves when it aborts: the read rejects with the signal's reason. The load goes on for other readers. */
  readonly signal?: AbortSignal | undefined;
  /** Skips values that were stored longer ago than this, and loads again. Default: any age. */
  readonly maxAge?: Duration | undefined;
  /** Passes every tier by and joins no load that has begun. The new value is stored. Default: false. */
  readonly fresh?: boolean | undefined;
}

/** The options of `get`. */
export interface GetOptions<N extends Node, V extends ValueOf<N> = ValueOf<N>> extends ReadOptions {
  /** Loads the value in place of the node's own `load`. A reader who joins a read under way gets that one's value. */
  readonly load?: ((context: LoadContext<ValueOf<N>>) => MaybePromise<V>) | undefined;
}

/** The options of `getSync`. */
export interface GetSyncOptions<N extends Node, V> {
  /** Loads the value in place of the node's own `load`. Must not return a promise. */
  readonly load: (context: LoadContext<ValueOf<N>>) => V extends PromiseLike<unknown> ? never : V;
}

/** The type of what `get` answers: the node's, or the override's where the node does not tell. */
export type Answer<N extends Node, V> = unknown extends ValueOf<N> ? V : ValueOf<N>;

/** The values of a list of nodes, place by place. */
export type ValuesOf<Ns extends readonly Node[]> = { -readonly [I in keyof Ns]: ValueOf<Ns[I]> };

/** What `peekAll` answers for a list of nodes, place by place. */
export type EntriesOf<Ns extends readonly Node[]> = {
  -readonly [I in keyof Ns]: Entry<ValueOf<Ns[I]>> | undefined;
};

/** The outcomes of a list of nodes, place by place. */
export type OutcomesOf<Ns extends readonly Node[]> = {
  -readonly [I in keyof Ns]: PromiseSettledResult<ValueOf<Ns[I]>>;
};

/** The options of `set` and `setAll`. */
export interface SetOptions {
  /** The last tier keeps the value for this long, the tiers before it for at most as long. Default: the tiers' own. */
  readonly ttl?: Duration | undefined;
}
