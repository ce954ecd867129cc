import type { Actor, Given, Read } from "./actor.js";
import { type Invalidation, isKnown, type Knowledge } from "./invalidations.js";
import { isOlder, latestOf, type Origin } from "./origins.js";

/** A promise that a schedule broke. */
export interface Violation {
  /** The number of the promise in the documentation, or the rules on the freshness of values. */
  readonly promise: 1 | 2 | 4 | 5 | 10 | "freshness";
  readonly what: string;
}

/**
 * Checks promises 1, 2, 4 and 10 when a read is answered with a value.
 *
 * @returns the violation
 */
export function checkAnswer(
  read: Read,
  origin: Origin | undefined,
  value: unknown,
  invalidations: readonly Invalidation[],
  knowledge: Knowledge,
): Violation | undefined {
  const { actor, key } = read;
  const given = `${read.way} ${read.born} of ${actor.name}, key ${key}, gets ${shown(origin, value)}`;
  if (origin === undefined || origin.key !== key) return { promise: 10, what: `${given}: not its own` };
  if (origin.isRefused) return { promise: 10, what: `${given}, which the source has refused` };
  const old = checkInvalidations(read, origin, given, invalidations, knowledge);
  if (old !== undefined) return old;
  for (const value of actor.given[key] ?? []) {
    if (value.since >= read.born || !isOlderThan(origin, value, read)) continue;
    return { promise: 10, what: `${given}, after a reader got ${shown(value.origin, value.origin.born)}` };
  }
  if (isReplacing(read) && isOlder(origin, read.born, actor)) {
    return { promise: 1, what: `${given}, which is older than the call` };
  }
  const { storedAt } = origin;
  if (read.maxAge !== undefined && storedAt !== undefined) {
    const age = read.at - storedAt;
    if (age > read.maxAge + knowledge.tolerance) {
      return { promise: 10, what: `${given}, ${age} ms old for a maxAge of ${read.maxAge}` };
    }
  }
  return undefined;
}

/**
 * Checks promises 2 and 4 for a value, or for the error of a load.
 *
 * @param given the words for the answer
 * @returns the violation
 */
export function checkInvalidations(
  read: Read,
  origin: Origin,
  given: string,
  invalidations: readonly Invalidation[],
  knowledge: Knowledge,
): Violation | undefined {
  for (const invalidation of invalidations) {
    if (!concerns(invalidation, origin) || !isOlder(origin, invalidation.called, invalidation.actor))
      continue;
    if (!isKnown(invalidation, read, knowledge)) continue;
    const { called, settled, isDone } = invalidation;
    const how = isDone ? "resolved" : "rejected";
    const what = `${given}, after invalidation ${called} of ${invalidation.actor.name} had ${how} at ${settled}`;
    return { promise: isDone ? 2 : 4, what };
  }
  return undefined;
}

function concerns({ key, tag, isWide }: Invalidation, origin: Origin): boolean {
  if (tag !== undefined) return origin.tags.includes(tag);
  return key === origin.key || (isWide && key === undefined);
}

/** Values of one process are ordered by their births, others only if they did not overlap. */
function isOlderThan(origin: Origin, { origin: newer, floor }: Given, { actor }: Read): boolean {
  return (newer.actor === actor ? latestOf(origin, actor) : origin.ended) < floor;
}

/**
 * Raises the oldest value that later reads of the process may get, once a reader got a value.
 *
 * An older value may follow a value that no tier took, or that was loaded past a tier in trouble. It
 * may not if the reader wanted to replace the stored value. Then the stored value is gone, or its
 * tier is distrusted.
 *
 * @param isLocal whether a local tier holds the value
 * @param now the event of the answer
 */
export function raiseGiven(read: Read, origin: Origin, isLocal: boolean, now: number): void {
  const { actor, key, born } = read;
  const isNew = origin.kind === "load" && origin.born > born;
  const replaced = isReplacing(read) || (read.way === "maxAge" && isNew);
  const wasInTrouble = actor.wasInTrouble(key);
  if (origin.kind === "load" && wasInTrouble) origin.pastTrouble = true;
  if (!replaced && ((!origin.taken && !isLocal) || wasInTrouble || origin.pastTrouble)) return;
  give(actor, key, origin, now);
}

/** Records a value behind which later reads of the process may not go. */
export function give(actor: Actor, key: number, origin: Origin, now: number): void {
  const given = actor.given[key];
  if (given?.some((one) => one.origin === origin) !== false) return;
  // A value that not every tier took, or none, may be followed by one that is a round trip older.
  const isTaken = origin.taken && !origin.refused;
  given.push({ origin, since: now, floor: isTaken || origin.kind !== "load" ? origin.from : origin.asOf });
}

function isReplacing({ way }: Read): boolean {
  return way === "fresh" || way === "refresh";
}

function shown(origin: Origin | undefined, value: unknown): string {
  return origin === undefined ? String(value) : `${origin.kind} ${origin.born} of ${origin.actor.name}`;
}
