import type { KeyHistory, Read } from "./key-history.js";
import type { Origin } from "./values.js";

/** A promise that the simulation found broken. */
export interface Violation {
  readonly promise: 1 | 2 | 4 | 5 | 10 | 11 | "each read counts once";
  readonly what: string;
  /** The key of the read that has waited too long. */
  readonly probed?: number | undefined;
}

/**
 * Checks promises 1, 2, 4 and 10 when a read is answered with a value.
 *
 * @returns the violation
 */
export function checkAnswer(read: Read, origin: Origin | undefined, value: unknown): Violation | undefined {
  const { floors } = read;
  const given = `${read.way} ${read.born} of key ${read.key} gets ${describe(origin, value)}`;
  if (origin === undefined || origin.key !== read.key) return { promise: 10, what: `${given}: not its own` };
  const { born } = origin;
  if (born < floors.invalidated) {
    return { promise: 2, what: `${given}, after invalidation ${floors.invalidated} had resolved` };
  }
  if (born < floors.newest) {
    return { promise: 10, what: `${given}, after ${floors.newestBy} had shown ${floors.newest}` };
  }
  if (born < floors.distrusted) {
    return { promise: 4, what: `${given}, after invalidation ${floors.distrusted} had rejected` };
  }
  if (isReplacing(read) && born < read.born) {
    return { promise: 1, what: `${given}, which is older than the call` };
  }
  const { storedAt } = origin;
  if (read.maxAge !== undefined && storedAt !== undefined && storedAt < read.at - read.maxAge) {
    const age = read.at - storedAt;
    return {
      promise: 10,
      what: `${given}, ${age} ms old for a maxAge of ${read.maxAge} at the call`,
    };
  }
  return undefined;
}

/**
 * Raises the lowest value that later reads may get, once a reader got a value.
 *
 * An older value may follow a value that no tier took, or that was loaded past a tier in trouble
 * (promise 10). It may not if the reader wanted to replace the stored value. Then the stored value
 * is gone, or its tier is distrusted.
 *
 * @param isLocal whether a local tier holds the value
 */
export function raiseFloor(history: KeyHistory, read: Read, origin: Origin, isLocal: boolean): void {
  const isNew = origin.kind === "load" && origin.born > read.born;
  const replaced = isReplacing(read) || (read.way === "maxAge" && isNew);
  const isHeld = origin.taken || isLocal;
  // Later readers may find the value in a tier. The entry of the tier in trouble is as old as
  // before.
  if (origin.kind === "load" && history.wasInTrouble) origin.pastTrouble = true;
  if (!replaced && (!isHeld || history.wasInTrouble || origin.pastTrouble)) return;
  history.raiseNewest(origin.born, `${read.way} ${read.born}${isHeld ? "" : " (which no tier took)"}`);
}

function isReplacing({ way }: Read): boolean {
  return way === "fresh" || way === "refresh";
}

function describe(origin: Origin | undefined, value: unknown): string {
  return origin === undefined ? String(value) : `${origin.kind} ${origin.born}`;
}
