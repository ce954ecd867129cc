import type { Slots } from "./slots.js";

/** Deadlines of the entries, so that an iteration can skip expired ones. */
interface Deadlines {
  readonly clock: { now(): number };
  hasDeadline(slot: number): boolean;
  isExpired(slot: number, now: number): boolean;
}

/**
 * The running iterations over the slots; no entry may move between slots meanwhile. They are held
 * weakly. An iteration may be abandoned without a call of `return`, as after calls of `next` alone.
 * It ends when its iterator is collected.
 */
export class Iterations {
  private readonly refs: Set<WeakRef<object>> = new Set();
  private readonly onEnd: () => void;

  /** @param onEnd called when an iteration ends, to start the work that waited for it */
  constructor(onEnd: () => void) {
    this.onEnd = onEnd;
  }

  /** Whether an iteration is running. Every insertion asks, and V8 can inline this getter. */
  get areRunning(): boolean {
    return this.refs.size > 0 && this.isOneLeft();
  }

  /**
   * Yields each entry of a space once, because no entry moves meanwhile. Skips an entry that has
   * expired by then.
   */
  *entriesOf<K, V>(slots: Slots<K, V>, space: number, deadlines: Deadlines): IterableIterator<[K, V]> {
    const iteration = {};
    this.refs.add(new WeakRef(iteration));
    try {
      let now: number | undefined;
      for (let slot = 0; slot < slots.unused; slot++) {
        if (!slots.isHeld(slot) || slots.spaceOf(slot) !== space) continue;
        if (deadlines.hasDeadline(slot)) {
          now ??= deadlines.clock.now();
          if (deadlines.isExpired(slot, now)) continue;
        }
        yield [slots.keyAt(slot), slots.valueAt(slot)];
        now = undefined;
      }
    } finally {
      this.end(iteration);
    }
  }

  /** Yields what `shown` makes of each unexpired entry, in the order of the first step. */
  *slotsOf<T>(
    slots: Slots<unknown, unknown>,
    order: { ranked(): readonly number[] },
    deadlines: Deadlines,
    shown: (slot: number) => T,
  ): IterableIterator<T> {
    const iteration = {};
    this.refs.add(new WeakRef(iteration));
    try {
      for (const slot of order.ranked()) {
        if (slot >= slots.unused || !slots.isHeld(slot)) continue;
        if (deadlines.hasDeadline(slot) && deadlines.isExpired(slot, deadlines.clock.now())) continue;
        yield shown(slot);
      }
    } finally {
      this.end(iteration);
    }
  }

  private end(iteration: object): void {
    for (const ref of this.refs) if (ref.deref() === iteration) this.refs.delete(ref);
    this.onEnd();
  }

  private isOneLeft(): boolean {
    for (const ref of this.refs) {
      if (ref.deref() !== undefined) return true;
      this.refs.delete(ref);
    }
    return false;
  }
}
