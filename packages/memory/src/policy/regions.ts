import { lengthen } from "../column.js";
import { SlotLinks } from "../slot-links.js";
import type { Slots } from "../slots.js";
import { FREQUENCY, PROBATION, PROTECTED, REGION, TOUCHED, WINDOW } from "./mark.js";

/** A part of the cache: its list, newest entry first, and how much is in it. */
export class Region {
  /** The head of the list in `Regions.links`. */
  readonly list: number;
  /** The region's bits of the mark. */
  readonly bits: number;
  size = 0;
  weight = 0;

  constructor(list: number, bits: number) {
    this.list = list;
    this.bits = bits;
  }
}

/**
 * Which region of a segmented cache each slot is in, and in which order. A slot's mark says the region, so
 * that an entry can be taken out without knowing where it is.
 */
export class Regions {
  marks: Uint8Array = new Uint8Array(0);
  readonly links: SlotLinks = new SlotLinks(3);
  /** Where newcomers are. */
  readonly window: Region = new Region(0, WINDOW);
  /** The part of the main region whose entries are evicted. */
  readonly probation: Region = new Region(1, PROBATION);
  /** The part of the main region that was hit on probation. */
  readonly protected: Region = new Region(2, PROTECTED);
  readonly slots: Slots<unknown, unknown>;

  constructor(slots: Slots<unknown, unknown>) {
    this.slots = slots;
  }

  /** Entries in all regions. */
  get held(): number {
    return this.window.size + this.probation.size + this.protected.size;
  }

  grow(capacity: number): void {
    this.marks = lengthen(this.marks, capacity);
    this.links.grow(capacity);
  }

  clear(): void {
    this.marks = new Uint8Array(0);
    this.links.clear();
    for (const region of [this.window, this.probation, this.protected]) {
      region.size = 0;
      region.weight = 0;
    }
  }

  /** The slot of the region that came first, or -1. */
  oldest(region: Region): number {
    return this.links.last(region.list);
  }

  isTouched(slot: number): boolean {
    return ((this.marks[slot] as number) & TOUCHED) !== 0;
  }

  /** The slot, which is in no region, becomes the newest of one, untouched. */
  enter(slot: number, region: Region): void {
    this.marks[slot] = ((this.marks[slot] as number) & FREQUENCY) | region.bits;
    this.links.addFirst(region.list, slot);
    region.size++;
    region.weight += this.slots.weightOf(slot);
  }

  /** The slot is in no region any more. */
  leave(slot: number): void {
    const region = this.regionOf(slot);
    this.links.remove(slot);
    region.size--;
    region.weight -= this.slots.weightOf(slot);
  }

  /** The slot becomes the newest of a region, untouched. */
  move(slot: number, region: Region): void {
    this.leave(slot);
    this.enter(slot, region);
  }

  /** The slot becomes the newest of the region in which it is already, untouched. */
  renew(slot: number, region: Region): void {
    this.marks[slot] = (this.marks[slot] as number) & ~TOUCHED;
    this.links.moveFirst(region.list, slot);
  }

  /** The region of a slot that is in one. */
  regionOf(slot: number): Region {
    const bits = (this.marks[slot] as number) & REGION;
    if (bits === WINDOW) return this.window;
    return bits === PROBATION ? this.probation : this.protected;
  }
}
