import type { Clock } from "../clock.js";
import { Fitting } from "../table/column.js";
import type { PerSlot } from "../table/per-slot.js";
import { TimerWheel } from "./timer-wheel.js";

/** The times of an overwrite. */
interface Renewal {
  /** Milliseconds until the entry ends; `Infinity`: never. */
  readonly ttl: number;
  /** The current time in milliseconds, if it is known. */
  readonly now: number | undefined;
}

/**
 * When entries end: a deadline per slot, and a timer wheel that finds those that have passed.
 *
 * A read compares the deadline itself, so an expired entry is never returned; the wheel only gives memory back, some
 * tens of milliseconds later. Nothing is allocated, and no clock read, before the first entry that ends.
 */
export class Expiry implements PerSlot {
  /** When the entry of a slot ends, in milliseconds; 0: never. `null` before the first that ends. 8 bytes a slot. */
  deadlines: Float64Array | null = null;
  wheel: TimerWheel | null = null;
  readonly clock: Clock;
  /**
   * Before this time `nextExpired` has nothing to do: every operation that knows the time asks first. Always over where there is an
   * idle time, which every access puts off.
   */
  nextCheckAt: number = Number.NEGATIVE_INFINITY;
  /** Milliseconds without an access after which an entry ends; `Infinity`: it does not. */
  private readonly idle: number;
  /** Where there is an idle time, the end that the ttl sets, which no access puts off. */
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

  /** Whether the slot's entry has a deadline at all. */
  hasDeadline(slot: number): boolean {
    return this.deadlines !== null && this.deadlines[slot] !== 0;
  }

  /** Whether a read has to do with the time: to ask for it, to put off the end, to remove what has expired. Needs `deadlines`. */
  mayBeExpired(slot: number, now: number | undefined): boolean {
    const deadline = (this.deadlines as Float64Array)[slot] as number;
    return deadline !== 0 && (now === undefined || now >= deadline || now >= this.nextCheckAt);
  }

  isExpired(slot: number, now: number): boolean {
    const { deadlines } = this;
    return deadlines !== null && deadlines[slot] !== 0 && (deadlines[slot] as number) <= now;
  }

  /** Milliseconds until the slot's entry ends: `Infinity` if it does not. */
  remaining(slot: number, now: number): number {
    return this.hasDeadline(slot)
      ? ((this.deadlines as Float64Array)[slot] as number) - now
      : Number.POSITIVE_INFINITY;
  }

  /** Whether an entry with this ttl needs the time. */
  needsTime(ttl: number): boolean {
    return ttl !== Number.POSITIVE_INFINITY || this.idle !== Number.POSITIVE_INFINITY;
  }

  /** Gives the slot of a new or overwritten entry a deadline, and returns it; for a ttl that `needsTime`. */
  setDeadline(slot: number, ttl: number, now: number): number {
    const wheel = this.wheel ?? this.createWheel(now);
    const deadlines = this.deadlines as Float64Array;
    const ttlEnd = now + ttl;
    if (this.ttlEnds !== null) this.ttlEnds[slot] = ttlEnd;
    const before = deadlines[slot] as number;
    const deadline = notNever(Math.min(ttlEnd, now + this.idle));
    deadlines[slot] = deadline;
    // Later than before: its old bucket comes first, and puts it into the right one then.
    if (before !== 0 && deadline >= before) return deadline;
    if (before !== 0) wheel.remove(slot);
    wheel.add(slot, deadline);
    return deadline;
  }

  /**
   * Gives a held entry that is overwritten its new end, where writing it down is all there is to do: the old end is not over and
   * not later, or neither entry ends. Nearly always so, if the time is given. False: it is left to `start` or `stop`.
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

  /** The entry was used: its idle time, if there is one, begins again. */
  touch(slot: number, now: number): void {
    if (this.ttlEnds === null || this.deadlines === null) return;
    this.deadlines[slot] = notNever(Math.min(this.ttlEnds[slot] as number, now + this.idle));
  }

  /** The slot's entry is gone, or ends no more. */
  clearDeadline(slot: number): void {
    const { deadlines, wheel } = this;
    if (deadlines === null || wheel === null || deadlines[slot] === 0) return;
    wheel.remove(slot);
    deadlines[slot] = 0;
  }

  /** A slot whose deadline has passed, to be removed by the caller, or -1. Looks at `most` slots at most. */
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

/** 0 stands for "never": a deadline at that very moment, which only a test's clock has, is the last before it. */
function notNever(deadline: number): number {
  return deadline || -Number.MIN_VALUE;
}
