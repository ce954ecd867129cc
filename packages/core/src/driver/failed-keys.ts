import { shownKey } from "../shown-key.js";

/** The most keys that a message names. */
const mostNamed = 5;

/**
 * Collects the keys of a batch that the database refused, while the rest of the batch is done. For
 * authors of drivers.
 *
 * @example
 * ```ts
 * const failures = new KeyFailures(records.length);
 * for (const { key, error } of refused) failures.add(key, error);
 * failures.throwIfAny(); // the caller gets a BatchError that names the keys
 * ```
 */
export class KeyFailures {
  readonly #total: number;
  readonly #failed = new Set<string>();
  #first: unknown;

  /** @param total the keys of the whole batch */
  constructor(total: number) {
    this.#total = total;
  }

  /** Adds a key with the reason why it failed. The message shows the first key's reason. */
  add(key: string, reason: unknown): void {
    if (this.#failed.size === 0) this.#first = reason;
    this.#failed.add(key);
  }

  get count(): number {
    return this.#failed.size;
  }

  /**
   * Rejects the call with a `BatchError` if a key was added. Every other key of the batch must be
   * done by then.
   */
  throwIfAny(): void {
    if (this.#failed.size > 0) throw this.error();
  }

  /** Returns the error that names the added keys. */
  error(): Error {
    return new FailedKeys(this.#failed, this.#total, this.#first);
  }
}

/** Becomes a `BatchError` once the call's name is known. */
export class FailedKeys extends Error {
  readonly keys: ReadonlySet<string>;
  readonly first: unknown;
  /** A summary such as `2 of 10 keys: "a", "b"`. */
  readonly summary: string;

  constructor(keys: ReadonlySet<string>, total: number, first: unknown) {
    super("some keys of the batch failed");
    this.keys = keys;
    this.first = first;
    const named = [...keys].slice(0, mostNamed).map(shownKey).join(", ");
    const more = keys.size > mostNamed ? ` and ${keys.size - mostNamed} more` : "";
    this.summary = `${keys.size} of ${total} keys: ${named}${more}`;
  }
}
