/** A promise and its two functions. */
export interface Resolvers {
  readonly promise: Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Makes a promise with its functions, because Node 20 has no `Promise.withResolvers`. */
export function withResolvers(): Resolvers {
  let resolve = unset;
  let reject = unset;
  const promise = new Promise<unknown>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** Replaced before anybody can call it. */
const unset = (_: unknown): void => {};
