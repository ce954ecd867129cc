import { Fitting, LONGEST_COPIED } from "./column.js";
import type { Iterations } from "./iterations.js";
import type { KeyIndex } from "./key-index.js";
import type { PerSlot } from "./per-slot.js";

/** The slots, and how many entries they hold. */
type Entries<K, V> = KeyIndex<K, V> & { readonly size: number };

const SMALLEST = 16;

/** Up to this capacity columns are lengthened all at once: 0.1 ms. Smaller caches are not shortened, either. */
const SMALL = 1 << 12;

/** Columns double up to this length, and grow by half from there on. */
const DOUBLED = 1 << 17;

/** Lengthening begins when a 32nd of the slots is left, and takes 1,024 steps at the most until they are used. */
const RESERVE_SHIFT = 5;
const STEP_SHIFT = 15;

/** More than any number of entries. */
const ALWAYS = 0x7fffffff;

/**
 * How many slots a cache has room for: by steps more than it holds, and less again when it holds less than a quarter.
 *
 * Nobody waits for a million numbers to be copied, let alone for ten columns of them. Growing begins while some slots are
 * left, and lengthens a column bit by bit (20 µs, and 0.3 ms for the copy at a million). For shrinking, entries in the upper half of the slots move to
 * free slots below, some with each operation (0.2 µs each); then each operation shortens one column.
 */
export class Capacity<K, V> {
  /** An insertion that finds no free slot calls `grow` once so many slots are in use. */
  growAt = 0;
  /** `shrink` is to be called after an operation that leaves fewer entries than this: always, while there is work left. */
  shrinkBelow = 0;
  private readonly slots: Entries<K, V>;
  private readonly parts: readonly PerSlot[];
  private readonly canMove: boolean;
  private readonly iterations: Iterations;
  private readonly rekey: (from: number, to: number) => void;
  private readonly fitting = new Fitting();
  /** All entries are below the new capacity: columns are shortened. */
  private isShortening = false;

  /**
   * @param rest.canMove false where a user's policy knows the slots by their numbers
   * @param rest.rekey lets the key of a slot be found in another, to which its entry is about to move
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

  /** Makes room for more in a cache of `maxSize` entries: lengthens a column, or all if that is little or urgent. */
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

  /** Whether `shrink` has something to do. */
  get isShrinking(): boolean {
    return this.slots.size < this.shrinkBelow;
  }

  /** Moves at most `most` entries to lower slots, or shortens one column. */
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

  /** Nothing is held any more, and the columns are gone. */
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

  /** The last slot in use becomes one that was never used. */
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

/** The next step for a cache of `maxSize` entries that has this capacity. */
function capacityAfter(capacity: number, maxSize: number): number {
  // One slot more than entries: a newcomer is held beside the one that it drives out.
  const most = Math.max(maxSize + 1, capacity);
  if (capacity < DOUBLED) return Math.min(most, Math.max(SMALLEST, 2 * capacity));
  const isCopied = capacity + (capacity >>> 1) <= LONGEST_COPIED;
  return Math.min(most, capacity + (isCopied ? capacity >>> 1 : capacity >>> 3));
}
