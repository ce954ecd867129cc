import type { Slots } from "./slots.js";

/** How an iteration learns which entries have expired. */
interface Deadlines {
  readonly clock: { now(): number };
  hasDeadline(slot: number): boolean;
  isExpired(slot: number, now: number): boolean;
}

/**
 * The iterations over the slots, between which no entry may move meanwhile. They are known weakly: an iteration that was left
 * without its `return` being called, as by calls of `next` alone, ends when its iterator is collected.
 */
export class Iterations {
  private readonly refs: Set<WeakRef<object>> = new Set();
  private readonly onEnd: () => void;

  /** @param onEnd called when an iteration ends: what waited for it may go on */
  constructor(onEnd: () => void) {
    this.onEnd = onEnd;
  }

  /** Asked at every insertion, and short enough to be compiled into it. */
  get areRunning(): boolean {
    return this.refs.size > 0 && this.isOneLeft();
  }

  /** The entries of a space, each once, since no entry moves meanwhile; none that has expired when it would be given. */
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
