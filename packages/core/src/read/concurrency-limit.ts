import type { Load } from "./load.js";

/**
 * Lets at most so many loads of a class run side by side; the others wait in line.
 *
 * A load that another load waits for never stands in line, or the two could wait for each other: the slot that it would wait
 * for may be held by the very load that waits for it, directly or through others. It runs at once, without a slot.
 */
export class ConcurrencyLimit {
  #free: number;
  readonly #line = new Set<Load>();
  #starting = false;

  constructor(limit: number) {
    this.#free = limit;
  }

  start(load: Load): void {
    if (load.nested) {
      load.start();
    } else if (this.#free > 0) {
      this.#free -= 1;
      load.start(this.#release);
    } else {
      this.#line.add(load);
      load.standInLine(() => this.#line.delete(load));
    }
  }

  /** Another load has come to wait for this one: it stands in line no longer. */
  promote(load: Load): void {
    if (this.#line.delete(load)) load.start();
  }

  readonly #release = (): void => {
    this.#free += 1;
    // A load that ends at once comes back here from within its start. The loop below goes on then: a call for each load of a
    // long line would overflow the stack.
    if (this.#starting) return;
    this.#starting = true;
    for (const next of this.#line) {
      if (this.#free === 0) break;
      this.#line.delete(next);
      this.#free -= 1;
      next.start(this.#release);
    }
    this.#starting = false;
  };
}
