import { Slots } from "./slots.js";

/** Positions in the smallest table. */
const SMALLEST = 32;

/**
 * Positions that each insertion or removal moves while a table is being replaced. The move ends
 * long before the next one.
 */
const MOVED_PER_OPERATION = 16;
const MOVED_IN_BACKGROUND = 1024;

/** Entry of a table: slot + 1 in its low 25 bits (2^24 slots and one being admitted); 0 is free. */
const enum Entry {
  SlotBits = 25,
  SlotMask = (1 << SlotBits) - 1,
  /**
   * The high 7 bits are those of the hash. So a look-up compares the key of another entry once in
   * 128.
   */
  TagMask = ~SlotMask,
}

/**
 * Finds the slot of a key by its hash: open addressing with linear probing, at most half full, one
 * 32-bit number a position. Deleting shifts the entries behind back (Knuth, TAOCP vol. 3, 6.4,
 * algorithm R). So there are no tombstones, and no pass that removes them. A JavaScript Map with
 * deletes stalls 75 to 95 ms at a million entries when V8 rehashes it.
 *
 * Growing and shrinking replace the table bit by bit. New entries go to the new table, each
 * operation moves some of the old ones, and look-ups search both meanwhile. The unit of a move is a
 * whole cluster, the run between two free positions. So probing in the old table stays correct.
 *
 * A look-up costs 5 to 10 ns at 10,000 entries, beside the hash; at a million, two cache misses. A
 * table with the whole hash (8 bytes a position) was a tenth to a fifth slower at both sizes.
 */
export class KeyIndex<K, V> extends Slots<K, V> {
  /** Number of slots in the index. */
  indexed = 0;
  table: Int32Array = new Int32Array(SMALLEST);
  /** `table.length - 1`. */
  mask: number = SMALLEST - 1;
  /** The table that is being replaced. */
  old: Int32Array | null = null;
  oldMask = 0;
  /** A free position in the old table. The `unmoved` positions behind it have not moved yet. */
  private cursor = 0;
  private unmoved = 0;

  /**
   * Returns the slot of a string key, or -1. A hit is this loop. Rare cases are elsewhere, because
   * V8 inlines only so much.
   */
  findString(space: number, key: string, hash: number): number {
    const { table, mask, spaces } = this;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = table[at] as number;
      if (entry === 0) return this.old === null ? -1 : this.findOld(space, key, hash);
      if ((entry ^ hash) >>> Entry.SlotBits !== 0) continue;
      const slot = (entry & Entry.SlotMask) - 1;
      if ((this.keyAt(slot) as unknown) === key && (spaces === null ? space === 0 : spaces[slot] === space))
        return slot;
    }
  }

  /**
   * Returns the slot of a number (not NaN), or -1. Separate from `findString`, so that each
   * compares one type only.
   */
  findNumber(key: number, hash: number): number {
    const { table, mask } = this;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = table[at] as number;
      if (entry === 0) return this.old === null ? -1 : this.findOld(0, key, hash);
      if ((entry ^ hash) >>> Entry.SlotBits !== 0) continue;
      const slot = (entry & Entry.SlotMask) - 1;
      if ((this.keyAt(slot) as unknown) === key) return slot;
    }
  }

  /** Adds a slot. Its key must not be in the index. */
  addKey(hash: number, slot: number): void {
    if (this.old !== null) this.migrate(this.old, MOVED_PER_OPERATION);
    else if (2 * (this.indexed + 1) > this.table.length) this.replace(2 * this.table.length);
    this.indexed++;
    place(this.table, this.mask, hash, entryOf(hash, slot));
  }

  /** Removes a slot. It must be in the index. */
  removeKey(hash: number, slot: number): void {
    const { hashes } = this;
    const entry = entryOf(hash, slot);
    this.indexed--;
    if (!take(this.table, this.mask, hash, entry, hashes) && this.old !== null) {
      take(this.old, this.oldMask, hash, entry, hashes);
    }
    if (this.old !== null) this.migrate(this.old, MOVED_PER_OPERATION);
    else if (this.isLarge) this.replace(this.table.length >>> 2);
  }

  /**
   * Removes the key of a slot for which `putIn` adds another. The number of keys stays, so nothing
   * grows or shrinks: 10 ns less than a removal and an addition. Must not be called while a table
   * is being replaced.
   */
  takeOut(slot: number): void {
    const { hashes } = this;
    const hash = hashes[slot] as number;
    take(this.table, this.mask, hash, entryOf(hash, slot), hashes);
  }

  /** Adds the key of a slot after `takeOut`. The slot already knows its hash. */
  putIn(slot: number): void {
    const hash = this.hashes[slot] as number;
    place(this.table, this.mask, hash, entryOf(hash, slot));
  }

  /**
   * Takes a larger step (5 µs) of the work that removals leave. For callers that have the time.
   * Returns false if there is nothing to do.
   */
  shrinkTable(): boolean {
    if (this.old !== null) this.migrate(this.old, MOVED_IN_BACKGROUND);
    else if (this.isLarge) this.replace(this.table.length >>> 2);
    else return false;
    return true;
  }

  /** Moves a key of the index to the slot `to`, which must not be in the index. */
  moveKey(hash: number, from: number, to: number): void {
    const entry = entryOf(hash, from);
    if (!replace(this.table, this.mask, hash, { entry, by: entryOf(hash, to) }) && this.old !== null)
      replace(this.old, this.oldMask, hash, { entry, by: entryOf(hash, to) });
  }

  override clear(): void {
    super.clear();
    this.indexed = 0;
    this.table = new Int32Array(SMALLEST);
    this.mask = SMALLEST - 1;
    this.old = null;
  }

  /** Returns the slot of a key in the table that is being replaced, or -1. */
  private findOld(space: number, key: unknown, hash: number): number {
    const { oldMask } = this;
    const old = this.old as Int32Array;
    for (let at = hash & oldMask; ; at = (at + 1) & oldMask) {
      const entry = old[at] as number;
      if (entry === 0) return -1;
      if ((entry ^ hash) >>> Entry.SlotBits !== 0) continue;
      const slot = (entry & Entry.SlotMask) - 1;
      if ((this.keyAt(slot) as unknown) === key && this.spaceOf(slot) === space) return slot;
    }
  }

  private get isLarge(): boolean {
    return this.table.length > SMALLEST && 16 * this.indexed < this.table.length;
  }

  private replace(length: number): void {
    const old = this.table;
    this.old = old;
    this.oldMask = this.mask;
    this.table = new Int32Array(Math.max(length, SMALLEST));
    this.mask = this.table.length - 1;
    let free = 0;
    while (old[free] !== 0) free++;
    this.cursor = free;
    this.unmoved = old.length;
    this.migrate(old, MOVED_PER_OPERATION);
  }

  /** Moves some positions of the old table, and always finishes a cluster that it began. */
  private migrate(old: Int32Array, most: number): void {
    const { hashes } = this;
    let at = this.cursor;
    let moved = 0;
    let entry = 0;
    while (this.unmoved > 0 && (moved < most || entry !== 0)) {
      at = (at + 1) & this.oldMask;
      entry = old[at] as number;
      if (entry !== 0) {
        place(this.table, this.mask, hashes[(entry & Entry.SlotMask) - 1] as number, entry);
        old[at] = 0;
      }
      moved++;
      this.unmoved--;
    }
    this.cursor = at;
    if (this.unmoved === 0) this.old = null;
  }
}

function entryOf(hash: number, slot: number): number {
  return (hash & Entry.TagMask) | (slot + 1);
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
    const home = (hashes[(moving & Entry.SlotMask) - 1] as number) & mask;
    // An entry may move back to the free position only if its search, which begins at home, passes
    // there.
    if (((at - home) & mask) < ((at - free) & mask)) continue;
    table[free] = moving;
    free = at;
  }
  table[free] = 0;
  return true;
}
