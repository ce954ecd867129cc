import { CHUNK_BITS, type Slots } from "./slots.js";

/** The compiler folds a module's own constants only: one that is imported or exported is loaded and checked at each use. */
const BITS = CHUNK_BITS;
const MASK = (1 << BITS) - 1;

/** Positions in the smallest table. */
const SMALLEST = 32;

/** Positions that each insert or removal moves on while a table is being replaced: done long before the next. */
const MOVED_AT_ONCE = 16;
const MOVED_AT_LEISURE = 1024;

/** An entry in a table is a slot + 1 in its low 25 bits (2^24 slots and one being admitted), 0 where it is free. */
const SLOT_BITS = 25;
const SLOT_MASK = (1 << SLOT_BITS) - 1;

/** The high 7 bits are those of the hash: a look-up compares the key of another entry once in 128 only. */
const TAG_MASK = ~SLOT_MASK;

/**
 * From a key's hash to its slot: open addressing with linear probing, at most half full, one 32-bit number a position.
 * Deleting shifts the entries behind back (Knuth, TAOCP vol. 3, 6.4, algorithm R), so that there are no tombstones and
 * no pass that removes them. A JavaScript Map with deletes stalls 75 to 95 ms at a million entries when V8 rehashes it.
 *
 * Growing and shrinking replace the table bit by bit: new entries go to the new table, each operation moves some of the
 * old, and look-ups ask both meanwhile. What moves is a whole cluster (the run between two free positions), so that
 * probing in the old table stays right.
 *
 * A look-up costs 5 to 10 ns at 10,000 entries, beside the hash; at a million, two cache misses. Keeping the whole hash
 * in the table (8 bytes a position) was a tenth to a fifth slower at both sizes.
 */
export class KeyIndex<K, V> {
  size = 0;
  table: Int32Array = new Int32Array(SMALLEST);
  /** `table.length - 1`. */
  mask: number = SMALLEST - 1;
  /** The table that is being replaced. */
  old: Int32Array | null = null;
  oldMask = 0;
  /** A free position in the old table: the `#unmoved` positions behind it have not moved. */
  #cursor = 0;
  #unmoved = 0;
  readonly #slots: Slots<K, V>;

  constructor(slots: Slots<K, V>) {
    this.#slots = slots;
  }

  /**
   * The slot of a string key, or -1. Everything is written out here, the old table's turn too: the compiler inlines only so
   * much, and a hit is this loop.
   */
  findString(space: number, key: string, hash: number): number {
    const { chunks, spaces } = this.#slots;
    let { table, mask } = this;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = table[at] as number;
      if (entry === 0) {
        if (this.old === null || table === this.old) return -1;
        table = this.old;
        mask = this.oldMask;
        at = (hash - 1) & mask;
        continue;
      }
      if ((entry ^ hash) >>> SLOT_BITS !== 0) continue;
      const slot = (entry & SLOT_MASK) - 1;
      if ((chunks[slot >>> BITS] as unknown[])[(slot & MASK) << 1] !== key) continue;
      if (spaces === null ? space === 0 : spaces[slot] === space) return slot;
    }
  }

  /** The slot of a number (not NaN), or -1. Apart from `findString`, so that each compares one type only. */
  findNumber(key: number, hash: number): number {
    const { chunks } = this.#slots;
    let { table, mask } = this;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = table[at] as number;
      if (entry === 0) {
        if (this.old === null || table === this.old) return -1;
        table = this.old;
        mask = this.oldMask;
        at = (hash - 1) & mask;
        continue;
      }
      if ((entry ^ hash) >>> SLOT_BITS !== 0) continue;
      const slot = (entry & SLOT_MASK) - 1;
      if ((chunks[slot >>> BITS] as unknown[])[(slot & MASK) << 1] === key) return slot;
    }
  }

  /** Adds a slot whose key is not in the index. */
  add(hash: number, slot: number): void {
    if (this.old !== null) this.#move(this.old, MOVED_AT_ONCE);
    else if (2 * (this.size + 1) > this.table.length) this.#replace(2 * this.table.length);
    this.size++;
    place(this.table, this.mask, hash, entryOf(hash, slot));
  }

  /** Removes a slot that is in the index. */
  remove(hash: number, slot: number): void {
    const { hashes } = this.#slots;
    const entry = entryOf(hash, slot);
    this.size--;
    if (!take(this.table, this.mask, hash, entry, hashes) && this.old !== null) {
      take(this.old, this.oldMask, hash, entry, hashes);
    }
    if (this.old !== null) this.#move(this.old, MOVED_AT_ONCE);
    else if (this.#isLarge) this.#replace(this.table.length >>> 2);
  }

  /** A larger step (5 µs) of what removals leave to do, for who has the time. False: there is nothing to do. */
  shrink(): boolean {
    if (this.old !== null) this.#move(this.old, MOVED_AT_LEISURE);
    else if (this.#isLarge) this.#replace(this.table.length >>> 2);
    else return false;
    return true;
  }

  /** A key that is in the index is in the slot `to` from now on, which is not. */
  move(hash: number, from: number, to: number): void {
    const entry = entryOf(hash, from);
    if (!replace(this.table, this.mask, hash, { entry, by: entryOf(hash, to) }) && this.old !== null)
      replace(this.old, this.oldMask, hash, { entry, by: entryOf(hash, to) });
  }

  clear(): void {
    this.size = 0;
    this.table = new Int32Array(SMALLEST);
    this.mask = SMALLEST - 1;
    this.old = null;
  }

  get #isLarge(): boolean {
    return this.table.length > SMALLEST && 16 * this.size < this.table.length;
  }

  #replace(length: number): void {
    const old = this.table;
    this.old = old;
    this.oldMask = this.mask;
    this.table = new Int32Array(Math.max(length, SMALLEST));
    this.mask = this.table.length - 1;
    let free = 0;
    while (old[free] !== 0) free++;
    this.#cursor = free;
    this.#unmoved = old.length;
    this.#move(old, MOVED_AT_ONCE);
  }

  /** Moves some positions of the old table on, and the cluster that was begun to its end. */
  #move(old: Int32Array, most: number): void {
    const { hashes } = this.#slots;
    let at = this.#cursor;
    let moved = 0;
    let entry = 0;
    while (this.#unmoved > 0 && (moved < most || entry !== 0)) {
      at = (at + 1) & this.oldMask;
      entry = old[at] as number;
      if (entry !== 0) {
        place(this.table, this.mask, hashes[(entry & SLOT_MASK) - 1] as number, entry);
        old[at] = 0;
      }
      moved++;
      this.#unmoved--;
    }
    this.#cursor = at;
    if (this.#unmoved === 0) this.old = null;
  }
}

function entryOf(hash: number, slot: number): number {
  return (hash & TAG_MASK) | (slot + 1);
}

function place(table: Int32Array, mask: number, hash: number, entry: number): void {
  let at = hash & mask;
  while (table[at] !== 0) at = (at + 1) & mask;
  table[at] = entry;
}

function replace(
  table: Int32Array,
  mask: number,
  hash: number,
  change: { entry: number; by: number },
): boolean {
  for (let at = hash & mask; table[at] !== 0; at = (at + 1) & mask) {
    if (table[at] !== change.entry) continue;
    table[at] = change.by;
    return true;
  }
  return false;
}

function take(table: Int32Array, mask: number, hash: number, entry: number, hashes: Int32Array): boolean {
  let free = hash & mask;
  while (table[free] !== entry) {
    if (table[free] === 0) return false;
    free = (free + 1) & mask;
  }
  for (let at = (free + 1) & mask; table[at] !== 0; at = (at + 1) & mask) {
    const moving = table[at] as number;
    const home = (hashes[(moving & SLOT_MASK) - 1] as number) & mask;
    // An entry may move back to the free place only if its search, which begins at home, passes there.
    if (((at - home) & mask) < ((at - free) & mask)) continue;
    table[free] = moving;
    free = at;
  }
  table[free] = 0;
  return true;
}
