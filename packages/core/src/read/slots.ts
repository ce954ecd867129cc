import type { Load } from "./load.js";

/**
 * Lets at most so many loads of a class run side by side; the others wait in line.
 *
 * A load that another load waits for never stands in line, or the two could wait for each other: the slot that it would wait
 * for may be held by the very load that waits for it, directly or through others. It runs at once, without a slot.
 */
export class Slots {
  #free: number;
  readonly #line = new Set<Load>();

  constructor(limit: number) {
    this.#free = limit;
  }

  start(load: Load): void {
    if (load.nested) {
      load.start();
    } else if (this.#free > 0) {
      this.#free -= 1;
      load.start(() => this.#release());
    } else {
      this.#line.add(load);
    }
  }

  /** Another load has come to wait for this one: it stands in line no longer. */
  promote(load: Load): void {
    if (this.#line.delete(load)) load.start();
  }

  #release(): void {
    const [next] = this.#line;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#line.delete(next);
    next.start(() => this.#release());
  }
}
