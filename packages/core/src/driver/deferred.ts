/**
 * A promise that another place settles. Its rejection is never reported as unhandled. For authors
 * of storages.
 *
 * @example
 * ```ts
 * const connected = new Deferred();
 * socket.once("connect", connected.resolve);
 * await connected.promise;
 * ```
 */
export class Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve: (value: T) => void = () => {};
  reject: (error: Error) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => {});
  }
}
