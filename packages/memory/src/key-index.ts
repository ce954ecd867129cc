import type { Slots } from "./slots.js";

/** Positions in the smallest table. A position is two numbers: an entry's hash, and its slot + 1 (0: free). */
const SMALLEST = 32;

/** Positions that each insert or removal moves on while a table is being replaced: done long before the next. */
const MOVED_AT_ONCE = 16;

/**
 * From a key's hash to its slot: open addressing with linear probing, at most half full, two 32-bit numbers a
 * position. Deleting shifts the entries behind back (Knuth, TAOCP vol. 3, 6.4, algorithm R), so that there are
 * no tombstones and no pass that removes them. A JavaScript Map with deletes stalls 75 to 95 ms at a million
 * entries when V8 rehashes it.
 *
 * Growing and shrinking replace the table bit by bit: new entries go to the new table, each operation moves
 * some of the old, and look-ups ask both meanwhile. What moves is a whole cluster (the run between two free
 * positions), so that probing in the old table stays right.
 *
 * A look-up costs 4 to 6 ns at 10,000 entries, beside the hash; at a million, one or two cache misses.
 */
export class KeyIndex<K, V> {
  size = 0;
  table: Int32Array = new Int32Array(2 * SMALLEST);
  /** `table.length - 1`. */
  mask: number = 2 * SMALLEST - 1;
  /** The table that is being replaced. */
  old: Int32Array | null = null;
  oldMask = 0;
  /** A free place in the old table: everything from `#unmoved` places after it on back to it has not moved. */
  #cursor = 0;
  #unmoved = 0;
  readonly #slots: Slots<K, V>;

  constructor(slots: Slots<K, V>) {
    this.#slots = slots;
  }

  /** The slot of a string key, or -1. */
  findString(space: number, key: string, hash: number): number {
    const { table, mask } = this;
    const slots = this.#slots;
    for (let at = (hash << 1) & mask; ; at = (at + 2) & mask) {
      const entry = table[at + 1] as number;
      if (entry === 0) break;
      if (
        table[at] === hash &&
        slots.keyAt(entry - 1) === (key as unknown) &&
        slots.spaceOf(entry - 1) === space
      )
        return entry - 1;
    }
    return this.old === null ? -1 : this.#findOld(this.old, space, key, hash);
  }

  /** The slot of a number (not NaN), or -1. Apart from `findString`, so that each compares one type only. */
  findNumber(key: number, hash: number): number {
    const { table, mask } = this;
    const slots = this.#slots;
    for (let at = (hash << 1) & mask; ; at = (at + 2) & mask) {
      const entry = table[at + 1] as number;
      if (entry === 0) break;
      if (table[at] === hash && slots.keyAt(entry - 1) === (key as unknown)) return entry - 1;
    }
    return this.old === null ? -1 : this.#findOld(this.old, 0, key, hash);
  }

  /** Adds a slot whose key is not in the index. */
  add(hash: number, slot: number): void {
    if (this.old !== null) this.#move(this.old);
    else if (4 * (this.size + 1) > this.table.length) this.#replace(2 * this.table.length);
    this.size++;
    place(this.table, this.mask, hash, slot + 1);
  }

  /** Removes a slot that is in the index. */
  remove(hash: number, slot: number): void {
    this.size--;
    if (!take(this.table, this.mask, hash, slot + 1) && this.old !== null) {
      take(this.old, this.oldMask, hash, slot + 1);
    }
    if (this.old !== null) this.#move(this.old);
    else if (this.table.length > 2 * SMALLEST && 32 * this.size < this.table.length) {
      this.#replace(this.table.length >>> 2);
    }
  }

  clear(): void {
    this.size = 0;
    this.table = new Int32Array(2 * SMALLEST);
    this.mask = this.table.length - 1;
    this.old = null;
  }

  #findOld(old: Int32Array, space: number, key: string | number, hash: number): number {
    const slots = this.#slots;
    for (let at = (hash << 1) & this.oldMask; ; at = (at + 2) & this.oldMask) {
      const entry = old[at + 1] as number;
      if (entry === 0) return -1;
      if (
        old[at] === hash &&
        slots.keyAt(entry - 1) === (key as unknown) &&
        slots.spaceOf(entry - 1) === space
      )
        return entry - 1;
    }
  }

  #replace(length: number): void {
    const old = this.table;
    this.old = old;
    this.oldMask = this.mask;
    this.table = new Int32Array(Math.max(length, 2 * SMALLEST));
    this.mask = this.table.length - 1;
    let free = 0;
    while (old[free + 1] !== 0) free += 2;
    this.#cursor = free;
    this.#unmoved = old.length;
    this.#move(old);
  }

  /** Moves some positions of the old table on, and the cluster that was begun to its end. */
  #move(old: Int32Array): void {
    let at = this.#cursor;
    let moved = 0;
    let entry = 0;
    while (this.#unmoved > 0 && (moved < 2 * MOVED_AT_ONCE || entry !== 0)) {
      at = (at + 2) & this.oldMask;
      entry = old[at + 1] as number;
      if (entry !== 0) {
        place(this.table, this.mask, old[at] as number, entry);
        old[at + 1] = 0;
      }
      moved += 2;
      this.#unmoved -= 2;
    }
    this.#cursor = at;
    if (this.#unmoved === 0) this.old = null;
  }
}

function place(table: Int32Array, mask: number, hash: number, entry: number): void {
  let at = (hash << 1) & mask;
  while (table[at + 1] !== 0) at = (at + 2) & mask;
  table[at] = hash;
  table[at + 1] = entry;
}

function take(table: Int32Array, mask: number, hash: number, entry: number): boolean {
  let free = (hash << 1) & mask;
  while (table[free + 1] !== entry) {
    if (table[free + 1] === 0) return false;
    free = (free + 2) & mask;
  }
  for (let at = (free + 2) & mask; table[at + 1] !== 0; at = (at + 2) & mask) {
    const home = ((table[at] as number) << 1) & mask;
    // An entry may move back to the free place only if its search, which begins at home, passes there.
    if (((at - home) & mask) < ((at - free) & mask)) continue;
    table[free] = table[at] as number;
    table[free + 1] = table[at + 1] as number;
    free = at;
  }
  table[free + 1] = 0;
  return true;
}
