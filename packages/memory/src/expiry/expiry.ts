import type { Clock } from "../clock.js";
import { Fitting } from "../table/column.js";
import type { PerSlot } from "../table/per-slot.js";
import { TimerWheel } from "./timer-wheel.js";

/** Times of an overwrite. */
interface Renewal {
  /** Milliseconds until the entry expires; `Infinity`: never. */
  readonly ttl: number;
  /** Current time in milliseconds, if it is known. */
  readonly now: number | undefined;
}

/**
 * Expiry of entries: a deadline per slot, and a timer wheel that finds the deadlines that have
 * passed.
 *
 * A read compares the deadline itself, so an expired entry is never returned. The wheel only frees
 * memory, some tens of milliseconds later. Before the first entry with a deadline, nothing is
 * allocated and no clock is read.
 */
export class Expiry implements PerSlot {
  /**
   * Deadlines by slot, in milliseconds; 0: never. `null` before the first deadline. 8 bytes a slot.
   */
  deadlines: Float64Array | null = null;
  wheel: TimerWheel | null = null;
  readonly clock: Clock;
  /**
   * Time before which `nextExpired` finds nothing. Every operation that knows the time compares it
   * first. With an idle time it has always passed, because every access changes a deadline.
   */
  nextCheckAt: number = Number.NEGATIVE_INFINITY;
  /** Milliseconds without an access until an entry expires; `Infinity`: never. */
  private readonly idle: number;
  /** Deadlines by the ttl alone, which no access extends. Kept only if there is an idle time. */
  private ttlEnds: Float64Array | null = null;
  private capacity = 0;

  constructor(clock: Clock, idle: number) {
    this.clock = clock;
    this.idle = idle;
  }

  fitOne(capacity: number, fitting: Fitting): boolean {
    this.capacity = capacity;
    if (this.deadlines === null || this.wheel === null) return false;
    if (this.wheel.fitOne(capacity, fitting)) return true;
    if (this.deadlines.length !== capacity) this.deadlines = fitting.fit(this.deadlines, capacity);
    else if (this.ttlEnds !== null && this.ttlEnds.length !== capacity)
      this.ttlEnds = fitting.fit(this.ttlEnds, capacity);
    else return false;
    return true;
  }

  moveSlot(from: number, to: number): void {
    const { deadlines } = this;
    if (deadlines === null || deadlines[from] === 0) return;
    deadlines[to] = deadlines[from] as number;
    deadlines[from] = 0;
    if (this.ttlEnds !== null) this.ttlEnds[to] = this.ttlEnds[from] as number;
    this.wheel?.moveSlot(from, to);
  }

  clear(): void {
    this.deadlines = null;
    this.ttlEnds = null;
    this.wheel = null;
    this.nextCheckAt = Number.NEGATIVE_INFINITY;
    this.capacity = 0;
  }

  /** Returns whether the slot's entry has a deadline. */
  hasDeadline(slot: number): boolean {
    return this.deadlines !== null && this.deadlines[slot] !== 0;
  }

  /**
   * Returns whether a read needs the time: to compare it, to extend the deadline, or to remove what
   * has expired. `deadlines` must exist.
   */
  mayBeExpired(slot: number, now: number | undefined): boolean {
    const deadline = (this.deadlines as Float64Array)[slot] as number;
    return deadline !== 0 && (now === undefined || now >= deadline || now >= this.nextCheckAt);
  }

  isExpired(slot: number, now: number): boolean {
    const { deadlines } = this;
    return deadlines !== null && deadlines[slot] !== 0 && (deadlines[slot] as number) <= now;
  }

  /** Returns the milliseconds until the slot's entry expires, or `Infinity`. */
  remaining(slot: number, now: number): number {
    return this.hasDeadline(slot)
      ? ((this.deadlines as Float64Array)[slot] as number) - now
      : Number.POSITIVE_INFINITY;
  }

  /** Returns whether an entry with this ttl needs the time. */
  needsTime(ttl: number): boolean {
    return ttl !== Number.POSITIVE_INFINITY || this.idle !== Number.POSITIVE_INFINITY;
  }

  /**
   * Sets the deadline of a new or overwritten entry and returns it. `needsTime` must be true for
   * the ttl.
   */
  setDeadline(slot: number, ttl: number, now: number): number {
    const wheel = this.wheel ?? this.createWheel(now);
    const deadlines = this.deadlines as Float64Array;
    const ttlEnd = now + ttl;
    if (this.ttlEnds !== null) this.ttlEnds[slot] = ttlEnd;
    const before = deadlines[slot] as number;
    const deadline = notNever(Math.min(ttlEnd, now + this.idle));
    deadlines[slot] = deadline;
    // The new deadline is later. The old bucket is due first, and then moves the slot to the right
    // one.
    if (before !== 0 && deadline >= before) return deadline;
    if (before !== 0) wheel.remove(slot);
    wheel.add(slot, deadline);
    return deadline;
  }

  /**
   * Extends the deadline of an overwritten entry if no other work is needed. Returns false if there
   * is other work: the caller must call `setDeadline` or `clearDeadline`.
   *
   * The short way serves two cases: the entry has not expired and its new deadline is not earlier,
   * or neither entry expires. It nearly always serves if the caller passes the time.
   */
  extend(slot: number, { ttl, now }: Renewal): boolean {
    const { deadlines } = this;
    if (deadlines === null) return false;
    const before = deadlines[slot] as number;
    if (before === 0) return ttl === Number.POSITIVE_INFINITY;
    if (now === undefined || now >= before || now >= this.nextCheckAt) return false;
    const deadline = notNever(now + ttl);
    if (deadline < before || ttl === Number.POSITIVE_INFINITY) return false;
    deadlines[slot] = deadline;
    return true;
  }

  /** Restarts the idle time of a used entry, if there is an idle time. */
  touch(slot: number, now: number): void {
    if (this.ttlEnds === null || this.deadlines === null) return;
    this.deadlines[slot] = notNever(Math.min(this.ttlEnds[slot] as number, now + this.idle));
  }

  /** Clears the deadline of a slot. */
  clearDeadline(slot: number): void {
    const { deadlines, wheel } = this;
    if (deadlines === null || wheel === null || deadlines[slot] === 0) return;
    wheel.remove(slot);
    deadlines[slot] = 0;
  }

  /**
   * Returns a slot whose deadline has passed, or -1. The caller must remove its entry. Looks at up
   * to `most` slots.
   */
  nextExpired(now: number, most: number): number {
    const { wheel, deadlines } = this;
    if (wheel === null || deadlines === null) return -1;
    if (now >= wheel.tickEnd) wheel.advance(now);
    for (let looked = 0; looked < most; looked++) {
      const slot = wheel.due();
      if (slot < 0) {
        if (this.ttlEnds === null) this.nextCheckAt = wheel.tickEnd;
        return -1;
      }
      const deadline = deadlines[slot] as number;
      if (deadline <= now) return slot;
      wheel.remove(slot);
      wheel.add(slot, deadline);
    }
    return -1;
  }

  private createWheel(now: number): TimerWheel {
    const wheel = new TimerWheel(now);
    const fitting = new Fitting();
    while (wheel.fitOne(this.capacity, fitting));
    this.wheel = wheel;
    this.deadlines = new Float64Array(this.capacity);
    if (this.idle !== Number.POSITIVE_INFINITY) this.ttlEnds = new Float64Array(this.capacity);
    return wheel;
  }
}

/**
 * Replaces a deadline of 0, which means "never", with the last moment before it. Only a test's
 * clock has a deadline of 0.
 */
function notNever(deadline: number): number {
  return deadline || -Number.MIN_VALUE;
}
