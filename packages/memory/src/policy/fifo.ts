import type { Fitting } from "../table/column.js";
import { SlotLinks } from "../table/slot-links.js";
import type { SlotPolicy } from "./slot-policy.js";
import { type Standing, type Standings, UNCOUNTED } from "./standing.js";

/** List of all entries. Its last entry is evicted next. */
export const QUEUE = 0;

/**
 * First in, first out: evicts the entry that was inserted first. Hits and overwrites change
 * nothing.
 */
export class FifoPolicy implements SlotPolicy, Standings {
  readonly marks = null;
  readonly onHit: Uint8Array = new Uint8Array(0);
  readonly links: SlotLinks = new SlotLinks(1);
  entering = -1;
  readonly standings: Standings = this;

  fitOne(capacity: number, fitting: Fitting): boolean {
    return this.links.fitOne(capacity, fitting);
  }

  moveSlot(from: number, to: number): void {
    this.links.moveSlot(from, to);
  }

  insert(slot: number): void {
    this.links.addFirst(QUEUE, slot);
  }

  replace(): number {
    const slot = this.evict();
    this.insert(slot);
    this.entering = slot;
    return slot;
  }

  access(_slot: number): void {}

  update(_slot: number): void {}

  remove(slot: number): void {
    this.links.remove(slot);
  }

  evict(): number {
    const slot = this.links.last(QUEUE);
    this.links.remove(slot);
    return slot;
  }

  resize(): void {}

  ranked(): number[] {
    const slots: number[] = [];
    for (let slot = this.links.first(QUEUE); slot >= 0; slot = this.links.after(slot)) slots.push(slot);
    return slots;
  }

  standingOf(_slot: number): Standing {
    return UNCOUNTED;
  }

  reinstate(_slot: number): void {}

  clear(): void {
    this.links.clear();
  }
}
