/** How many birth numbers have been drawn in this process. */
let births = 0;

/** Draws the next birth number: a later one belongs to what began later. */
export function nextBirth(): number {
  births += 1;
  return births;
}

/** Returns the last birth number that was drawn: whatever is born later begins after this call. */
export function lastBirth(): number {
  return births;
}

/** The birth of what only reads a remote tier: any value that arrives meanwhile is newer. */
export const unborn = 0;

/**
 * Something under way that may still store a value under a key, or removes it: a flight, a `set`, a removal.
 *
 * An operation that was born later *fences* it once the newer value, or the removal, is there: no tier takes its value then.
 */
export class Operation {
  birth: number;
  /** Whether something newer has overtaken this. */
  fenced = false;
  /** Whether the local tiers were cleared since it began: they do not take its value. The remote ones do. */
  cleared = false;
  /** The next older operation of the same key. */
  older: Operation | undefined;

  constructor(birth: number) {
    this.birth = birth;
  }

  /**
   * Overtakes this. A flight that has not begun its load starts over instead.
   *
   * @param _birth of what overtakes it
   */
  fence(_birth: number): void {
    this.fenced = true;
  }

  /** The local tiers are cleared. */
  clear(): void {
    this.cleared = true;
  }
}
