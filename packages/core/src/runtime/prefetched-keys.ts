/** The most keys that are kept. An older one counts as never read. */
const mostKeys = 10_000;

/** The keys of a kind that were loaded in advance and have not been read, oldest first. */
export class PrefetchedKeys {
  /** The times until which a read finds the value; `Infinity` while it is being loaded. */
  readonly #until = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#until.size === 0;
  }

  begin(key: string): void {
    this.#until.delete(key);
    this.#until.set(key, Number.POSITIVE_INFINITY);
    if (this.#until.size <= mostKeys) return;
    const [oldest] = this.#until.keys();
    if (oldest !== undefined) this.#until.delete(oldest);
  }

  /** Records the end of a load. A key that was read meanwhile is not kept. */
  ended(key: string, until: number): void {
    if (this.#until.has(key)) this.#until.set(key, until);
  }

  /** Returns whether the key was loaded in advance and has not expired. It counts once. */
  take(key: string, now: number): boolean {
    const until = this.#until.get(key);
    return until !== undefined && this.#until.delete(key) && until > now;
  }

  forget(key: string): void {
    this.#until.delete(key);
  }

  /** Drops the oldest keys that have expired. */
  dropExpired(now: number): void {
    for (const [key, until] of this.#until) {
      if (until > now) return;
      this.#until.delete(key);
    }
  }
}
