/** The parts of an error that a cache keeps. */
export interface ErrorForm {
  readonly name: string;
  readonly message: string;
  /** Such as `"ENOENT"` or `404`; `undefined` if the error has none. */
  readonly code: string | number | undefined;
}

/**
 * The error of a failed load of a class with the option `errorTtl`. Each reader gets it in this form:
 * those of the load itself, and those that the cache answers, in each process. It has the name, the
 * message and the code of the load's error, and nothing else of it.
 *
 * @example
 * ```ts
 * try {
 *   await get(new UserNode(1));
 * } catch (error) {
 *   if (error instanceof CachedError && error.code === "ENOTFOUND") return undefined;
 *   throw error;
 * }
 * ```
 */
export class CachedError extends Error {
  /** Makes `instanceof` hold also for errors of another copy of the package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && Reflect.get(value, "~cachedError") === true;
  }

  /** The code of the load's error; `undefined` if it has none. */
  readonly code: string | number | undefined;
  /** The time of the failure, in milliseconds since the epoch. */
  readonly failedAt: number;

  /** @param cause the load's own error, for the readers of the load */
  constructor({ name, message, code }: ErrorForm, failedAt: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    Object.defineProperty(this, "name", { value: name, configurable: true, writable: true });
    this.code = code;
    this.failedAt = failedAt;
  }

  get "~cachedError"(): boolean {
    return true;
  }
}
