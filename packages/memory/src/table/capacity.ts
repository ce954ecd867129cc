import { Fitting, LONGEST_COPIED } from "./column.js";
import type { Iterations } from "./iterations.js";
import type { KeyIndex } from "./key-index.js";
import type { PerSlot } from "./per-slot.js";

/** The slots and the number of entries. */
type Entries<K, V> = KeyIndex<K, V> & { readonly size: number };

const SMALLEST = 16;

/**
 * Maximum capacity at which all columns grow at once (0.1 ms). Smaller caches do not shrink,
 * either.
 */
const SMALL = 1 << 12;

/** Maximum length at which columns double. Longer ones grow by half. */
const DOUBLED = 1 << 17;

/**
 * Growing begins when a 32nd of the slots is left. It takes at most 1,024 steps until they are
 * used.
 */
const RESERVE_SHIFT = 5;
const STEP_SHIFT = 15;

/** More than any number of entries. */
const ALWAYS = 0x7fffffff;

/**
 * Decides how many slots a cache has. Grows by steps beyond the number of entries, and shrinks when
 * the cache holds less than a quarter.
 *
 * No call waits for a million numbers to be copied, let alone for ten columns of them. Growing
 * begins while some slots are left. It lengthens one column bit by bit: 20 µs a step, and 0.3 ms
 * for the copy at a million. Shrinking first moves the entries in the upper half of the slots to
 * free slots below. Each operation moves some (0.2 µs each). Then each operation shortens one
 * column.
 */
export class Capacity<K, V> {
  /** Number of slots in use from which an insertion without a free slot calls `grow`. */
  growAt = 0;
  /**
   * Number of entries below which each operation ends with a call of `shrink`. Above every number
   * of entries while such work is left.
   */
  shrinkBelow = 0;
  private readonly slots: Entries<K, V>;
  private readonly parts: readonly PerSlot[];
  private readonly canMove: boolean;
  private readonly iterations: Iterations;
  private readonly rekey: (from: number, to: number) => void;
  private readonly fitting = new Fitting();
  /** Whether all entries are below the new capacity, so that columns are shortened. */
  private isShortening = false;

  /**
   * @param rest.canMove false if a custom policy knows the slots by their numbers
   * @param rest.rekey points the index to the slot to which an entry is about to move
   */
  constructor(
    slots: Entries<K, V>,
    rest: {
      readonly parts: readonly PerSlot[];
      readonly canMove: boolean;
      readonly iterations: Iterations;
      readonly rekey: (from: number, to: number) => void;
    },
  ) {
    this.slots = slots;
    this.parts = [slots, ...rest.parts];
    this.canMove = rest.canMove;
    this.iterations = rest.iterations;
    this.rekey = rest.rekey;
  }

  /**
   * Grows a cache of `maxSize` entries. Lengthens one column, or all if the cache is small or all
   * slots are in use.
   */
  grow(maxSize: number): void {
    const slots = this.slots;
    const target = capacityAfter(slots.slotCount, maxSize);
    const isUrgent = slots.slotCount < SMALL || slots.isFull;
    this.shrinkBelow = this.quarter;
    this.isShortening = false;
    while (this.fitOne(target)) {
      if (isUrgent) continue;
      this.growAt = Math.min(this.growAt + Math.max(1, slots.slotCount >>> STEP_SHIFT), slots.slotCount);
      return;
    }
    this.setCapacity(target);
  }

  /** Whether `shrink` has work to do. */
  get isShrinking(): boolean {
    return this.slots.size < this.shrinkBelow;
  }

  /** Moves up to `most` entries to lower slots, or shortens one column. */
  shrink(most: number): void {
    const slots = this.slots;
    if (this.isShortening) {
      this.isShortening = this.fitOne(slots.slotCount) || slots.shrinkTable();
      if (!this.isShortening) this.shrinkBelow = this.quarter;
      return;
    }
    const target = slots.slotCount >>> 1;
    this.shrinkBelow = slots.size < target ? ALWAYS : this.quarter;
    if (this.shrinkBelow !== ALWAYS || this.iterations.areRunning) return;
    for (let moved = 0; moved < most && slots.unused > target; moved++) this.vacateLast();
    if (slots.unused > target) return;
    this.setCapacity(target);
    this.shrinkBelow = ALWAYS;
    this.isShortening = true;
  }

  /** Starts again without entries and columns. */
  clear(): void {
    this.growAt = 0;
    this.shrinkBelow = 0;
    this.isShortening = false;
    this.fitting.stop();
  }

  private get quarter(): number {
    const { slotCount } = this.slots;
    return slotCount <= SMALL || !this.canMove ? 0 : slotCount >>> 2;
  }

  private fitOne(capacity: number): boolean {
    for (const part of this.parts) if (part.fitOne(capacity, this.fitting)) return true;
    return false;
  }

  private setCapacity(capacity: number): void {
    this.slots.slotCount = capacity;
    this.growAt = capacity <= SMALL ? capacity : capacity - (capacity >>> RESERVE_SHIFT);
    this.shrinkBelow = this.quarter;
  }

  /** Frees the last slot in use. Moves its entry, if it has one, to a free slot. */
  private vacateLast(): void {
    const slots = this.slots;
    const last = slots.unused - 1;
    if (slots.isHeld(last)) {
      const to = slots.takeFree();
      this.rekey(last, to);
      for (const part of this.parts) part.moveSlot(last, to);
    } else slots.unlinkFree(last);
    slots.releaseLast();
  }
}

/** Returns the next capacity of a cache of `maxSize` entries. */
function capacityAfter(capacity: number, maxSize: number): number {
  // One slot more than entries: a new entry is stored beside the one that it evicts.
  const most = Math.max(maxSize + 1, capacity);
  if (capacity < DOUBLED) return Math.min(most, Math.max(SMALLEST, 2 * capacity));
  const isCopied = capacity + (capacity >>> 1) <= LONGEST_COPIED;
  return Math.min(most, capacity + (isCopied ? capacity >>> 1 : capacity >>> 3));
}
