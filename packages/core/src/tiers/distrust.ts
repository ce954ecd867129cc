import type { FailedRemoval } from "./guarded/failed-removal.js";

/** The number of keys from which a tier is distrusted as a whole up to now. It bounds the list. */
const mostKeys = 10_000;

/**
 * The keys under which an unreachable remote tier may hold a replaced or removed value. The tier is
 * not read for them until a write or a removal succeeds.
 */
export class Distrust {
  /** The distrusted keys, each with the removal that is repeated. */
  readonly #removals = new Map<string, FailedRemoval | undefined>();
  /** The time, on our clock, up to which written entries are misses. */
  #until = Number.NEGATIVE_INFINITY;

  /** @param now the time on our clock */
  add(key: string, now: number, removal?: FailedRemoval): void {
    if (this.#removals.size >= mostKeys && !this.#removals.has(key)) this.addAll(now);
    this.#removals.set(key, removal);
  }

  /** Takes all entries that were written up to now for misses, and forgets the keys. */
  addAll(now: number): void {
    this.#removals.clear();
    this.#until = now;
  }

  /** The removals that are repeated. */
  get removals(): FailedRemoval[] {
    return [...this.#removals.values()].filter((removal) => removal !== undefined);
  }

  removalOf(key: string): FailedRemoval | undefined {
    return this.#removals.get(key);
  }

  /** Ends the distrust of a key, because a write or a removal has succeeded. */
  remove(key: string): void {
    if (this.#removals.size === 0) return;
    const removal = this.#removals.get(key);
    if (this.#removals.delete(key)) removal?.succeed();
  }

  has(key: string): boolean {
    return this.#removals.size > 0 && this.#removals.has(key);
  }

  /**
   * Returns whether an entry that was written at this time, on our clock, may have been replaced.
   */
  covers(writtenAt: number): boolean {
    return writtenAt <= this.#until;
  }
}
