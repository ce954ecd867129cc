import type { Wait } from "./wait-graph.js";

/**
 * The answer of a read that a load makes. The load waits for it from when somebody looks at it: a read that nobody awaits
 * holds nobody up, so it must not count as waiting.
 *
 * @param wait throws when it begins if that would close a circle
 */
export function nestedRead(answer: Promise<unknown>, wait: Wait): Promise<unknown> {
  const read = new NestedRead((resolve) => resolve(answer));
  read.wait = wait;
  return read;
}

/** `await` and the combinators of Promise call `then` of a subclass, though not of a promise itself. */
class NestedRead extends Promise<unknown> {
  /** Begins when somebody first looks at the answer. */
  wait: Wait | undefined;

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // biome-ignore lint/suspicious/noThenProperty: a promise has one
  override then<A = unknown, B = never>(
    onResolve?: ((value: unknown) => A | PromiseLike<A>) | null,
    onReject?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const { wait } = this;
    this.wait = undefined;
    try {
      wait?.begin();
    } catch (error) {
      // Its own outcome matters no more.
      super.then(undefined, () => {});
      return Promise.reject(error).then(undefined, onReject);
    }
    return super.then(onResolve, onReject);
  }
}
