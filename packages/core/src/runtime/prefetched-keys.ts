/** The most keys that are kept. An older one counts as never read. */
const mostKeys = 10_000;

/** A key that was loaded in advance. */
interface Prefetched {
  /** The time until which a read finds the value; `Infinity` while it is being loaded. */
  until: number;
  /** Whether a read of it shows that the prefetch was of use. */
  counts: boolean;
}

/** The keys of a kind that were loaded in advance, oldest first. */
export class PrefetchedKeys {
  readonly #keys = new Map<string, Prefetched>();
  /** Whether keys stay until they expire, because no local tier shows that they were loaded. */
  readonly #staysRead: boolean;

  constructor(staysRead: boolean) {
    this.#staysRead = staysRead;
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  /** Returns whether a remote tier has the key, as far as this process knows. */
  isRemote(key: string, now: number): boolean {
    const known = this.#staysRead ? this.#keys.get(key) : undefined;
    return known !== undefined && known.until > now;
  }

  begin(key: string): void {
    this.#keys.delete(key);
    this.#keys.set(key, { until: Number.POSITIVE_INFINITY, counts: true });
    if (this.#keys.size <= mostKeys) return;
    const [oldest] = this.#keys.keys();
    if (oldest !== undefined) this.#keys.delete(oldest);
  }

  /**
   * Records the end of a prefetch.
   *
   * @param isLoaded whether it has loaded the value, or brought it nearer
   */
  ended(key: string, until: number, isLoaded: boolean): void {
    const known = this.#keys.get(key);
    if (known === undefined) return; // It was read meanwhile.
    if (!isLoaded && !this.#staysRead) this.#keys.delete(key);
    known.until = until;
    known.counts &&= isLoaded;
  }

  /** Records a read, and returns whether the key was loaded in advance for it. It counts once. */
  take(key: string): boolean {
    const known = this.#keys.get(key);
    if (known === undefined) return false;
    const { counts } = known;
    if (this.#staysRead) known.counts = false;
    else this.#keys.delete(key);
    return counts;
  }

  forget(key: string): void {
    this.#keys.delete(key);
  }

  /** Drops the oldest keys that have expired. */
  dropExpired(now: number): void {
    for (const [key, { until }] of this.#keys) {
      if (until > now) return;
      this.#keys.delete(key);
    }
  }
}
