/** From so many keys on, a tier is distrusted as a whole up to now, so that the list stays bounded. */
const mostKeys = 10_000;

/**
 * The keys under which a remote tier may hold a value that was replaced or removed, because the tier could not be reached: it
 * is not read for them, until a write or a removal succeeds.
 */
export class Distrust {
  readonly #keys = new Set<string>();
  /** Entries that were written up to this time, on our clock, are misses. */
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

  /** Whether an entry that was written at this time, on our clock, may be one that was replaced. */
  covers(writtenAt: number): boolean {
    return writtenAt <= this.#until;
  }
}
