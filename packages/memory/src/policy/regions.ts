import type { Fitting } from "../table/column.js";
import type { Slots } from "../table/slots.js";
import { Mark, RegionBits } from "./mark.js";

/** `aged` where no ageing is under way: above every slot. */
const ALL_AGED = 0x7fffffff;

/** A part of the cache: its oldest entry, and how much is in it. */
export class Region {
  /** The region's bits of the mark. */
  readonly bits: number;
  /** The slot that came first, or -1. */
  oldest = -1;
  size = 0;
  weight = 0;

  constructor(bits: number) {
    this.bits = bits;
  }
}

/**
 * Which region of a segmented cache each slot is in, and in which order. A slot's mark says the region, so
 * that an entry can be taken out without knowing where it is.
 *
 * A region is a ring of slots, each linked to the next younger one and the youngest to the oldest. So the oldest becomes the
 * youngest by moving on `oldest`, as a CLOCK's hand: one read, where a list would relink five neighbours (12 ns).
 */
export class Regions {
  marks: Uint8Array = new Uint8Array(0);
  /** The next younger slot, and the next older one. */
  younger: Int32Array = new Int32Array(0);
  older: Int32Array = new Int32Array(0);
  /** Where newcomers are. */
  readonly window: Region = new Region(RegionBits.Window);
  /** The part of the main region whose entries are evicted. */
  readonly probation: Region = new Region(RegionBits.Probation);
  /** The part of the main region that was hit on probation. */
  readonly protected: Region = new Region(RegionBits.Protected);
  readonly slots: Slots<unknown, unknown>;
  /** Slots from here on still count in the scale before the last ageing. */
  aged: number = ALL_AGED;

  constructor(slots: Slots<unknown, unknown>) {
    this.slots = slots;
  }

  /** Entries in all regions. */
  get held(): number {
    return this.window.size + this.probation.size + this.protected.size;
  }

  /** What they weigh. */
  get weight(): number {
    return this.window.weight + this.probation.weight + this.protected.weight;
  }

  fitOne(capacity: number, fitting: Fitting): boolean {
    if (this.marks.length !== capacity) this.marks = fitting.fit(this.marks, capacity);
    else if (this.younger.length !== capacity) this.younger = fitting.fit(this.younger, capacity);
    else if (this.older.length !== capacity) this.older = fitting.fit(this.older, capacity);
    else return false;
    return true;
  }

  /** `to`, which is in no region, takes the place of `from`, and its mark. */
  moveSlot(from: number, to: number): void {
    const { marks, younger, older } = this;
    const frequency = this.frequencyOf(from);
    const region = this.regionOf(from);
    const isAlone = younger[from] === from;
    const after = isAlone ? to : (younger[from] as number);
    const before = isAlone ? to : (older[from] as number);
    younger[to] = after;
    older[to] = before;
    younger[before] = to;
    older[after] = to;
    if (region.oldest === from) region.oldest = to;
    marks[to] = ((marks[from] as number) & ~Mark.Frequency) | this.inScaleOf(to, frequency);
    marks[from] = 0;
  }

  clear(): void {
    this.marks = new Uint8Array(0);
    this.younger = new Int32Array(0);
    this.older = new Int32Array(0);
    this.aged = ALL_AGED;
    for (const region of [this.window, this.probation, this.protected]) {
      region.oldest = -1;
      region.size = 0;
      region.weight = 0;
    }
  }

  /** The slot, which is in no region, becomes the newest of one, untouched. */
  enter(slot: number, region: Region): void {
    const { marks, younger, older } = this;
    const { weights } = this.slots;
    marks[slot] = ((marks[slot] as number) & Mark.Frequency) | region.bits;
    const oldest = region.size === 0 ? slot : region.oldest;
    const newest = region.size === 0 ? slot : (older[oldest] as number);
    region.oldest = oldest;
    younger[slot] = oldest;
    older[slot] = newest;
    younger[newest] = slot;
    older[oldest] = slot;
    region.size++;
    region.weight += weights === null ? 1 : (weights[slot] as number);
  }

  /** The slot is in no region any more. Its mark keeps the frequency only. */
  leave(slot: number, region: Region): void {
    const { marks, younger, older } = this;
    const { weights } = this.slots;
    const after = younger[slot] as number;
    const before = older[slot] as number;
    younger[before] = after;
    older[after] = before;
    if (region.oldest === slot) region.oldest = after === slot ? -1 : after;
    region.size--;
    region.weight -= weights === null ? 1 : (weights[slot] as number);
    marks[slot] = (marks[slot] as number) & Mark.Frequency;
  }

  /** The slot becomes the newest of a region, untouched. */
  move(slot: number, from: Region, to: Region): void {
    this.leave(slot, from);
    this.enter(slot, to);
  }

  /** The oldest slot of the region becomes the newest, untouched. */
  renewOldest(region: Region): void {
    const { marks } = this;
    const slot = region.oldest;
    marks[slot] = (marks[slot] as number) & ~Mark.Touched;
    region.oldest = this.younger[slot] as number;
  }

  /** The frequency of the entry held in `slot`, in today's scale. */
  frequencyOf(slot: number): number {
    const frequency = (this.marks[slot] as number) & Mark.Frequency;
    return slot < this.aged ? frequency : frequency >>> 1;
  }

  /** What stands in the mark of `slot` for a frequency in today's scale. */
  inScaleOf(slot: number, frequency: number): number {
    return slot < this.aged ? frequency : frequency << 1;
  }

  /** Halves every frequency. Only while not `isAgeing`; the work is left to `ageSome`. */
  age(): void {
    this.aged = 0;
  }

  /** Whether an earlier ageing has not reached every slot yet. */
  get isAgeing(): boolean {
    return this.aged !== ALL_AGED;
  }

  /** Brings up to `count` slots to today's scale. */
  ageSome(count: number): void {
    if (this.aged === ALL_AGED) return;
    const { marks } = this;
    const end = Math.min(this.aged + count, marks.length);
    for (let slot = this.aged; slot < end; slot++) {
      const mark = marks[slot] as number;
      marks[slot] = (mark & ~Mark.Frequency) | ((mark & Mark.Frequency) >>> 1);
    }
    this.aged = end === marks.length ? ALL_AGED : end;
  }

  /** The region of a slot that is in one. */
  regionOf(slot: number): Region {
    const bits = (this.marks[slot] as number) & Mark.Region;
    if (bits === RegionBits.Window) return this.window;
    return bits === RegionBits.Probation ? this.probation : this.protected;
  }
}
