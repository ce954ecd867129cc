import { Fitting } from "../table/column.js";
import { SlotLinks } from "../table/slot-links.js";
import type { SlotPolicy } from "./slot-policy.js";
import type { Standing, Standings } from "./standing.js";

/** List of the groups in use, by rising count. */
const GROUPS = 0;

const FEWEST_GROUPS = 16;

/**
 * Least frequently used: evicts the entry with the fewest hits and overwrites since it was
 * inserted. If several have the fewest, it evicts the one whose last use is longest ago. It is
 * exact and takes constant time. Entries with equal counts form a group, and groups are linked by
 * rising count (Shah, Mitra and Matani, 2010). A new entry counts 1. The entry set last is spared
 * while there is another one; otherwise no new entry would ever get in.
 *
 * There are as many groups as different counts, which are few: k of them take more than k² / 2
 * uses. Their arrays double when they are full.
 */
export class LfuPolicy implements SlotPolicy, Standings {
  readonly marks = null;
  readonly entering = -1;
  readonly standings: Standings = this;
  readonly onHit: Uint8Array = new Uint8Array(0);
  /** Groups, by rising count. */
  readonly groups: SlotLinks = new SlotLinks(1);
  /** Count of the members, by group. */
  counts: Float64Array = new Float64Array(0);
  /** Group, by slot. */
  groupOf: Int32Array = new Int32Array(0);
  /**
   * Next and previous member, by slot. The members of a group form a circle that begins at
   * `oldest`.
   */
  next: Int32Array = new Int32Array(0);
  previous: Int32Array = new Int32Array(0);
  oldest: Int32Array = new Int32Array(0);
  /** First released group, or -1. Released groups are chained through `counts`. */
  private free = -1;
  private unused = 0;
  /** Slot set last, or -1. */
  newest = -1;

  fitOne(capacity: number, fitting: Fitting): boolean {
    if (this.groupOf.length !== capacity) this.groupOf = fitting.fit(this.groupOf, capacity);
    else if (this.next.length !== capacity) this.next = fitting.fit(this.next, capacity);
    else if (this.previous.length !== capacity) this.previous = fitting.fit(this.previous, capacity);
    else return false;
    return true;
  }

  moveSlot(from: number, to: number): void {
    const { next, previous } = this;
    const group = this.groupOf[from] as number;
    const isAlone = next[from] === from;
    const after = isAlone ? to : (next[from] as number);
    const before = isAlone ? to : (previous[from] as number);
    this.groupOf[to] = group;
    next[to] = after;
    previous[to] = before;
    next[before] = to;
    previous[after] = to;
    if (this.oldest[group] === from) this.oldest[group] = to;
    if (this.newest === from) this.newest = to;
  }

  insert(slot: number): void {
    this.newest = slot;
    const lowest = this.groups.first(GROUPS);
    if (lowest >= 0 && this.counts[lowest] === 1) {
      this.join(lowest, slot);
      return;
    }
    const group = this.newGroup(1);
    this.groups.addFirst(GROUPS, group);
    this.found(group, slot);
  }

  replace(): number {
    return -1;
  }

  access(slot: number): void {
    const group = this.groupOf[slot] as number;
    const count = (this.counts[group] as number) + 1;
    const higher = this.groups.after(group);
    const joins = higher >= 0 && this.counts[higher] === count;
    if (this.next[slot] === slot && !joins) {
      this.counts[group] = count;
      return;
    }
    if (joins) {
      this.leave(slot);
      this.join(higher, slot);
      return;
    }
    const founded = this.newGroup(count);
    this.groups.addAfter(group, founded);
    this.leave(slot);
    this.found(founded, slot);
  }

  update(slot: number): void {
    this.newest = slot;
    this.access(slot);
  }

  remove(slot: number): void {
    if (this.newest === slot) this.newest = -1;
    this.leave(slot);
  }

  evict(): number {
    const slot = this.victim();
    this.remove(slot);
    return slot;
  }

  resize(): void {}

  ranked(): number[] {
    const slots: number[] = [];
    for (let group = this.groups.first(GROUPS); group >= 0; group = this.groups.after(group)) {
      const oldest = this.oldest[group] as number;
      let slot = oldest;
      do {
        slots.push(slot);
        slot = this.next[slot] as number;
      } while (slot !== oldest);
    }
    return slots.reverse();
  }

  standingOf(slot: number): Standing {
    return { frequency: this.counts[this.groupOf[slot] as number] as number, segment: 0 };
  }

  reinstate(slot: number, { frequency }: Standing): void {
    let group = this.groupOf[slot] as number;
    if (!((this.counts[group] as number) < frequency)) return;
    let higher = this.groups.after(group);
    while (higher >= 0 && (this.counts[higher] as number) <= frequency) {
      group = higher;
      higher = this.groups.after(group);
    }
    const joined = this.counts[group] === frequency ? group : this.newGroup(frequency);
    if (joined !== group) this.groups.addAfter(group, joined);
    this.leave(slot);
    if (joined === group) this.join(joined, slot);
    else this.found(joined, slot);
  }

  clear(): void {
    this.groups.clear();
    this.counts = new Float64Array(0);
    this.groupOf = new Int32Array(0);
    this.next = new Int32Array(0);
    this.previous = new Int32Array(0);
    this.oldest = new Int32Array(0);
    this.free = -1;
    this.unused = 0;
    this.newest = -1;
  }

  private victim(): number {
    const lowest = this.groups.first(GROUPS);
    const slot = this.oldest[lowest] as number;
    if (slot !== this.newest) return slot;
    const younger = this.next[slot] as number;
    if (younger !== slot) return younger;
    const higher = this.groups.after(lowest);
    return higher < 0 ? slot : (this.oldest[higher] as number);
  }

  private newGroup(count: number): number {
    let group = this.free;
    if (group >= 0) this.free = this.counts[group] as number;
    else {
      group = this.unused++;
      if (group === this.counts.length) this.addGroups(Math.max(FEWEST_GROUPS, 2 * group));
    }
    this.counts[group] = count;
    return group;
  }

  private addGroups(groups: number): void {
    const fitting = new Fitting();
    while (this.counts.length < groups) this.counts = fitting.fit(this.counts, groups);
    while (this.oldest.length < groups) this.oldest = fitting.fit(this.oldest, groups);
    while (this.groups.fitOne(groups, fitting));
  }

  /** Makes `slot` the only member of a new group. */
  private found(group: number, slot: number): void {
    this.groupOf[slot] = group;
    this.next[slot] = slot;
    this.previous[slot] = slot;
    this.oldest[group] = slot;
  }

  /** Makes `slot` the newest member of a group that has members. */
  private join(group: number, slot: number): void {
    const { next, previous } = this;
    const oldest = this.oldest[group] as number;
    const newest = previous[oldest] as number;
    this.groupOf[slot] = group;
    next[newest] = slot;
    previous[slot] = newest;
    next[slot] = oldest;
    previous[oldest] = slot;
  }

  private leave(slot: number): void {
    const { next, previous } = this;
    const group = this.groupOf[slot] as number;
    const after = next[slot] as number;
    if (after === slot) {
      this.groups.remove(group);
      this.counts[group] = this.free;
      this.free = group;
      return;
    }
    const before = previous[slot] as number;
    next[before] = after;
    previous[after] = before;
    if (this.oldest[group] === slot) this.oldest[group] = after;
  }
}
