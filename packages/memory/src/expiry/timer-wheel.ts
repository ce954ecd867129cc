import type { Fitting } from "../table/column.js";
import { SlotLinks } from "../table/slot-links.js";

/** Width of the finest buckets, in milliseconds. */
const TICK = 32;

/** Buckets per level. A bucket of the next level is as wide as all of them. */
const BUCKET_BITS = 6;
const BUCKETS = 1 << BUCKET_BITS;

/** Ticks below this are whole numbers to the compiler. */
const LONGEST_WHOLE = 2 ** 31;

/**
 * Six levels of 64 buckets: 32 ms, 2 s, 2 min, 2.3 h, 6.2 days, 1.1 years each; 69 years in all.
 */
const LEVELS = 6;

/** List of the slots whose bucket is due. */
const DUE = LEVELS * BUCKETS;

/** Last tick that the wheel distinguishes. */
const HORIZON = BUCKETS ** LEVELS - 1;

/**
 * A hierarchical timer wheel (Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987,
 * scheme 7).
 *
 * Adding and removing take constant time. Time advances by whole buckets: the wheel appends a due
 * bucket to the list of due slots, in one step whatever it holds. The caller takes due slots one by
 * one and decides how many at once. So a million entries that expire together stall nobody. A slot
 * is due in its deadline's bucket, or in a coarser one before it. So the caller compares the
 * deadline, and adds the slot again if it is early.
 *
 * The wheel takes 8 bytes a slot and keeps no deadlines.
 */
export class TimerWheel {
  readonly links: SlotLinks = new SlotLinks(LEVELS * BUCKETS + 1);
  private readonly origin: number;
  /** Current tick of the wheel. */
  tick = 0;
  private count = 0;

  /** @param now current time in milliseconds, at which the wheel begins */
  constructor(now: number) {
    this.origin = now;
  }

  /** Number of scheduled slots. */
  get size(): number {
    return this.count;
  }

  /** End of the current tick, in milliseconds. Before it, `advance` does nothing. */
  get tickEnd(): number {
    return this.origin + (this.tick + 1) * TICK;
  }

  fitOne(capacity: number, fitting: Fitting): boolean {
    return this.links.fitOne(capacity, fitting);
  }

  /** Replaces `from` with `to`. */
  moveSlot(from: number, to: number): void {
    this.links.moveSlot(from, to);
  }

  /** Schedules a slot that is not scheduled. */
  add(slot: number, deadline: number): void {
    this.count++;
    this.links.addLast(this.bucketOf(deadline), slot);
  }

  /** Removes a scheduled slot. */
  remove(slot: number): void {
    this.count--;
    this.links.remove(slot);
  }

  /**
   * Advances the wheel to the time `now`, in at most 64 steps a level, however much time has
   * passed. Ignores times before the wheel's own.
   */
  advance(now: number): void {
    const from = this.tick;
    const to = Math.floor((now - this.origin) / TICK);
    if (to <= from) return;
    this.tick = to;
    // A finest bucket is due when its time has passed. A coarser one is due when its time begins,
    // to be spread over finer ones.
    this.collect(0, from, to - 1);
    let width = BUCKETS;
    for (let level = 1; level < LEVELS; level++, width *= BUCKETS) {
      const first = Math.floor(from / width) + 1;
      const last = Math.floor(to / width);
      if (first > last) break;
      this.collect(level, first, last);
    }
  }

  /** Returns a slot whose bucket is due, or -1. Returns the same slot until it is removed. */
  due(): number {
    return this.links.first(DUE);
  }

  /**
   * Returns when the next bucket is due, in milliseconds, or `Infinity` if nothing is scheduled.
   * Looks at up to 384 buckets.
   */
  nextDue(): number {
    if (this.count === 0) return Number.POSITIVE_INFINITY;
    if (this.due() >= 0) return this.origin + this.tick * TICK;
    let next = Number.POSITIVE_INFINITY;
    let width = 1;
    for (let level = 0; level < LEVELS; level++, width *= BUCKETS) {
      const current = Math.floor(this.tick / width);
      const begin = level === 0 ? current : current + 1;
      for (let bucket = begin; bucket < begin + BUCKETS; bucket++) {
        if (this.links.isEmpty(level * BUCKETS + (bucket & (BUCKETS - 1)))) continue;
        next = Math.min(next, level === 0 ? bucket + 1 : bucket * width);
        break;
      }
    }
    return this.origin + next * TICK;
  }

  clear(): void {
    this.count = 0;
    this.links.clear();
  }

  private collect(level: number, first: number, last: number): void {
    const end = Math.min(last, first + BUCKETS - 1);
    for (let bucket = first; bucket <= end; bucket++) {
      this.links.append(level * BUCKETS + (bucket & (BUCKETS - 1)), DUE);
    }
  }

  private bucketOf(deadline: number): number {
    const wanted = Math.floor((deadline - this.origin) / TICK);
    // 32-bit integers last for two years from the wheel's beginning, and cost a third of the code
    // below.
    if (wanted < LONGEST_WHOLE && wanted >= this.tick) {
      const distance = (wanted - this.tick) | 0;
      if (distance < BUCKETS) return wanted & (BUCKETS - 1);
      const level = Math.trunc((31 - Math.clz32(distance)) / BUCKET_BITS);
      return level * BUCKETS + ((wanted >> (level * BUCKET_BITS)) & (BUCKETS - 1));
    }
    const tick = Math.min(Math.max(wanted, this.tick), this.tick + HORIZON);
    const distance = tick - this.tick;
    if (distance < BUCKETS) return tick & (BUCKETS - 1);
    let level = 1;
    let width = BUCKETS;
    while (distance >= width * BUCKETS) {
      level++;
      width *= BUCKETS;
    }
    return level * BUCKETS + (Math.floor(tick / width) & (BUCKETS - 1));
  }
}
