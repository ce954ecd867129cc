import type { Actor, Read } from "./actor.js";

/** An invalidation of a key, of a tag, or of all keys of the class. */
export interface Invalidation {
  readonly actor: Actor;
  /** The key, `undefined` for a tag or a class. */
  readonly key: number | undefined;
  readonly tag: string | undefined;
  /** Whether it was made for a pattern, or for the class. It counts once it has resolved. */
  readonly isWide: boolean;
  /** The event of the call. */
  readonly called: number;
  /** The event at which it resolved or rejected; infinity before. */
  settled: number;
  /** Whether it resolved: every server has done it. */
  isDone: boolean;
  /** The first publication after it was done on every server, and its message with this news. */
  published: { readonly number: number; readonly text: string } | undefined;
  /** The event at which the bus brought it to each other process. */
  readonly heard: Map<Actor, number>;
  /** The time at which nothing was under way any more that began before it was done. */
  readonly cleanAt: Map<Actor, number>;
  /** The servers that have not answered a request of this invalidation yet. */
  readonly missing: Set<string>;
}

/** The rules by which a process must know of another one's invalidation. */
export interface Knowledge {
  /** The ttl of the longest local tier; `undefined` if there is none. */
  readonly localTtl: number | undefined;
  /** Whether there is a bus. */
  readonly bus: boolean;
  /** The milliseconds by which times may differ. */
  readonly tolerance: number;
}

/** Returns whether the read may not be answered with a value from before the invalidation. */
export function isKnown(invalidation: Invalidation, read: Read, knowledge: Knowledge): boolean {
  const { actor, settled, isDone, heard, cleanAt } = invalidation;
  if (actor === read.actor) return settled < read.born;
  // It may have joined a load that could not keep its lease, because a storage was in trouble.
  if (!isDone || read.actor.troubleOf(invalidation.key) >= read.joined) return false;
  const { localTtl, bus, tolerance } = knowledge;
  if (localTtl === undefined) return settled < read.asOf;
  const told = heard.get(read.actor);
  if (bus && told !== undefined && told < read.born) return true;
  const clean = cleanAt.get(read.actor);
  return clean !== undefined && read.at > clean + localTtl + tolerance && settled < read.asOf;
}
