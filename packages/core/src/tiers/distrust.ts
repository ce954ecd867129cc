/** The number of keys from which a tier is distrusted as a whole up to now. It bounds the list. */
const mostKeys = 10_000;

/**
 * The keys under which an unreachable remote tier may hold a replaced or removed value. The tier is
 * not read for them until a write or a removal succeeds.
 */
export class Distrust {
  readonly #keys = new Set<string>();
  /** The time, on our clock, up to which written entries are misses. */
  #until = Number.NEGATIVE_INFINITY;

  /** @param now the time on our clock */
  add(key: string, now: number): void {
    if (this.#keys.size >= mostKeys && !this.#keys.has(key)) {
      this.#keys.clear();
      this.#until = now;
    }
    this.#keys.add(key);
  }

  remove(key: string): void {
    if (this.#keys.size > 0) this.#keys.delete(key);
  }

  has(key: string): boolean {
    return this.#keys.size > 0 && this.#keys.has(key);
  }

  /**
   * Returns whether an entry that was written at this time, on our clock, may have been replaced.
   */
  covers(writtenAt: number): boolean {
    return writtenAt <= this.#until;
  }
}
