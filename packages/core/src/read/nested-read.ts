import type { Flight } from "../runtime/flight.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { Load } from "./load.js";
import type { Wait } from "./wait-graph.js";

/**
 * Returns the key's open flight for a reader. If a load joins it and the request may have been sent
 * before the load began, the flight reads its tier again. Otherwise a value that depends on the
 * flight's node would be kept although it is made of an answer from before an invalidation of the
 * node.
 */
export function openIn(
  activity: KeyActivity | undefined,
  opener: Load | undefined,
  { hasDependents }: { readonly hasDependents: boolean },
): Flight | undefined {
  const open = activity?.flights.open;
  if (opener === undefined || !hasDependents || open?.state !== "reading") return open;
  const [own] = opener.flights;
  if (own !== undefined && open.readSince < own.birth) open.mustReadAgain = true;
  return open;
}

/**
 * Returns the answer of a read that a load makes. The load waits from the first use of the answer.
 * A read that nobody awaits delays nothing, so it must not count as waiting.
 *
 * @param wait throws when it begins if it would close a cycle
 */
export function nestedRead(answer: Promise<unknown>, wait: Wait): Promise<unknown> {
  const read = new NestedRead((resolve) => resolve(answer));
  read.wait = wait;
  return read;
}

/**
 * `await` and the combinators of Promise call `then` of a subclass, but not that of a plain
 * promise.
 */
class NestedRead extends Promise<unknown> {
  /** The wait, which begins at the first use of the answer. */
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
      // Its own outcome no longer matters.
      super.then(undefined, () => {});
      return Promise.reject(error).then(undefined, onReject);
    }
    return super.then(onResolve, onReject);
  }
}
