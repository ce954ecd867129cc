import type { Load } from "./load.js";

/**
 * Limits the concurrent loads of a class. The other loads wait in line.
 *
 * A load that another load waits for never waits in line, because the two could wait for each
 * other. The waiting load may hold the slot, directly or through others. So the load runs at once,
 * without a slot.
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

  /** Starts a load in line at once, because another load now waits for it. */
  promote(load: Load): void {
    if (this.#line.delete(load)) load.start();
  }

  readonly #release = (): void => {
    this.#free += 1;
    // A load that ends at once comes back here from within its start. The loop below then
    // continues. A call for each load of a long line would overflow the stack.
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
