import type { Node } from "./node.js";
import type { LoadSurroundings } from "./reads.js";
import type { MaybePromise, ValueOf } from "./value-of.js";

/** The context of a running `save` or `saveAll`. */
export interface SaveContext extends Pick<LoadSurroundings, "inject"> {
  /** A signal that aborts when the `saveTimeout` has passed. Pass it to a database client. */
  readonly signal: AbortSignal;
}

/** A value of a list that is saved. */
export interface SavedEntry<N extends Node> {
  readonly node: N;
  readonly value: ValueOf<N>;
}

/**
 * The type of a static `saveAll`. It writes all values, or throws. If some values fail by
 * themselves, it answers with a list in the order of the entries: an `Error` for each value that
 * the source does not have, and anything else for the others. The outcomes of `Promise.allSettled`
 * are such a list, too. One call gets at most `maxBatchSize` entries.
 *
 * @example
 * ```ts
 * static override saveAll: SaveAll<UserNode> = (entries) => db.updateAll(entries.map(({ value }) => value));
 * ```
 */
export type SaveAll<N extends Node> = (
  entries: readonly SavedEntry<N>[],
  context: SaveContext,
) => MaybePromise<unknown>;
