import type { HeldGeneration } from "../storage/local-storage.js";

/** The pause after the first failed load of a key, in milliseconds. It doubles with each further one. */
const firstPause = 1_000;

/** The most keys that back off. Beyond it the key that failed first is forgotten. */
const mostKeys = 10_000;

/** The failures of one key's loads. */
interface Failures {
  readonly count: number;
  /** The time until which the key is not loaded again while a stale value can be returned. */
  readonly until: number;
  /** The tags of the key's old entry; `undefined` if it has none. */
  readonly generations: readonly HeldGeneration[] | undefined;
}

/**
 * The keys of one class whose last load has failed. While a key backs off, its stale value is
 * returned at once, and the source is left alone. The pauses double up to a bound, and each is
 * shortened at random, so that many keys do not come back together.
 */
export class BackOffs {
  readonly #failures = new Map<string, Failures>();
  readonly #longest: number;
  readonly #random: () => number;

  /** @param longest the longest pause, in milliseconds */
  constructor(longest: number, random: () => number = Math.random) {
    this.#longest = longest;
    this.#random = random;
  }

  /** The number of keys. */
  get size(): number {
    return this.#failures.size;
  }

  isBackingOff(key: string, now: number): boolean {
    return this.until(key) > now;
  }

  /** Returns the time until which the key backs off. */
  until(key: string): number {
    if (this.#failures.size === 0) return Number.NEGATIVE_INFINITY;
    const failures = this.#failures.get(key);
    if (failures === undefined) return Number.NEGATIVE_INFINITY;
    if (failures.generations?.every(({ isCurrent }) => isCurrent) !== false) return failures.until;
    this.#failures.delete(key);
    return Number.NEGATIVE_INFINITY;
  }

  /**
   * Records that a load has failed. Returns the milliseconds of the pause.
   *
   * @param generations the tags of the key's old entry. Their invalidation ends the pause
   */
  failed(key: string, now: number, generations?: readonly HeldGeneration[]): number {
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const longest = Math.min(firstPause * 2 ** (count - 1), this.#longest);
    const pause = longest * (0.5 + this.#random() / 2);
    this.#failures.delete(key); // The map lists the keys in the order of their last failures.
    if (this.#failures.size >= mostKeys) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    this.#failures.set(key, { count, until: now + pause, generations });
    return pause;
  }

  /** Ends the pauses of all keys, because the class was invalidated. */
  clear(): void {
    this.#failures.clear();
  }

  /** Ends the pauses of the keys that the function accepts. */
  clearWhere(accepts: (key: string) => boolean): void {
    for (const key of this.#failures.keys()) if (accepts(key)) this.#failures.delete(key);
  }

  /** Records that a load has succeeded, or that a caller has changed the key. */
  succeeded(key: string): void {
    if (this.#failures.size > 0) this.#failures.delete(key);
  }
}
