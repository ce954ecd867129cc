import type { OperationTags } from "../tags/operation-tags.js";
import type { ConditionalLoad } from "./conditional-load.js";

/** The number of birth numbers drawn in this process. */
let births = 0;

/** Draws the next birth number. Operations that begin later have higher numbers. */
export function nextBirth(): number {
  births += 1;
  return births;
}

/**
 * Returns the last birth number that was drawn. Operations with a higher number begin after this
 * call.
 */
export function lastBirth(): number {
  return births;
}

/**
 * The birth of an operation that only reads a remote tier: any value that arrives meanwhile is
 * newer.
 */
export const unborn = 0;

/**
 * An operation that may still store a value under a key, or removes it: a flight, a `set`, a
 * removal.
 *
 * An operation that was born later *fences* it once the newer value, or the removal, is there. No
 * tier takes its value then.
 */
export class Operation {
  birth: number;
  /** Whether a newer operation has overtaken it. */
  fenced = false;
  /**
   * Whether the local tiers were cleared since it began. They do not take its value, but the remote
   * ones do.
   */
  cleared = false;
  /**
   * Whether it was overtaken because news may have been missed. So nothing newer writes or removes
   * what its own value was to replace.
   */
  missed = false;
  /**
   * Whether a tier may hold an older value than one that a caller got. If its own value cannot be
   * stored, the older one is removed.
   */
  mustReplace = false;
  /** Whether it belongs to a warm-up, in which throughput counts more than the time of others. */
  isBulk = false;
  /** Whether a remote tier has not taken its value. */
  isUnstored = false;
  /** The tags of its value; `undefined` if there are none. */
  tagged: OperationTags | undefined;
  /** The conditional part of its load; `undefined` if the load does not use it. */
  conditional: ConditionalLoad | undefined;
  /** The next older operation of the same key. */
  older: Operation | undefined;

  constructor(birth: number) {
    this.birth = birth;
  }

  /** Whether it removes the older value if its own cannot be stored. */
  get replaces(): boolean {
    return this.mustReplace;
  }

  /**
   * Overtakes the operation. A flight that has not begun its load starts over instead.
   *
   * @param _birth the birth of the overtaking operation
   */
  fence(_birth: number): void {
    this.fenced = true;
  }

  /** Overtakes the operation, because news of a newer one may have been missed. */
  miss(birth: number): void {
    this.fence(birth);
    if (this.fenced) this.missed = true;
  }

  /** Records that another process has overtaken it. */
  lose(): void {
    this.fenced = true;
  }

  /** Records that the local tiers are cleared. */
  clear(): void {
    this.cleared = true;
  }
}
