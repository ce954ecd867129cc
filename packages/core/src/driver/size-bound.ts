import type { StorageCall } from "./storage-calls.js";

/** Rows that one call looks at. A long look would miss its deadline. */
const lookedAt = 50_000;

/** The rows of a table in the order in which they were written. A place is whatever names a row in it. */
export interface WrittenRows<Place> {
  /**
   * Returns the place of a row: the one after `skipped` rows, counted from the newest row, or from the first row that is older
   * than a place. `undefined` if there is no such row.
   */
  find(olderThan: Place | undefined, skipped: number): Promise<Place | undefined>;
  /** Removes some rows, the oldest first, up to the row of a place. Returns whether there may be more. */
  removeUpTo(place: Place): Promise<boolean>;
}

/**
 * Keeps a table below a number of rows: removes the rows that were written first. Each step is one short call, for
 * `Driver.sweep`. Several processes may do it at once, because each of them removes only what is beyond the bound. For authors
 * of storages.
 *
 * @example
 * ```ts
 * const bound = new SizeBound<number>(1_000_000);
 * const mayBeMore = await bound.step({ find: …, removeUpTo: … });
 * ```
 */
export class SizeBound<Place> {
  readonly #maxSize: number;
  /** The row that was found last. */
  #place: Place | undefined;
  /** Rows to skip from there on. */
  #left: number;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
    this.#left = maxSize;
  }

  /** Looks at some rows, or removes some. Returns whether there may be more to do; after an error it begins again. */
  async step(rows: WrittenRows<Place>): Promise<boolean> {
    const [place, left] = [this.#place, this.#left];
    this.#place = undefined;
    this.#left = this.#maxSize;
    if (place !== undefined && left < 0) {
      // The place is that of the newest row beyond the bound.
      return (await rows.removeUpTo(place)) && this.#goOn(place, left);
    }
    const skipped = Math.min(left, lookedAt);
    const found = await rows.find(place, skipped);
    return found !== undefined && this.#goOn(found, left - skipped - 1);
  }

  #goOn(place: Place, left: number): boolean {
    this.#place = place;
    this.#left = left;
    return true;
  }
}

/**
 * Returns the sweep of a table: it removes expired rows, and then those beyond `maxSize`. For authors of storages.
 *
 * @param expire removes some expired rows, and returns whether there may be more
 */
export function sweepOf<Place, Call = StorageCall>(
  maxSize: number | undefined,
  expire: (call: Call) => Promise<boolean>,
  written: (call: Call) => WrittenRows<Place>,
): (call: Call) => Promise<boolean> {
  if (maxSize === undefined) return expire;
  const bound = new SizeBound<Place>(maxSize);
  return async (call) => (await expire(call)) || bound.step(written(call));
}
