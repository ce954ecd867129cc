import { LoadError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { LoadContext } from "../node/node.js";
import type { MaybePromise } from "../node/value-of.js";
import type { Flight } from "../runtime/flight.js";

/** A node's own `load`, to be called on the node, or a reader's override. */
export type SingleLoad = (this: unknown, context: LoadContext) => MaybePromise<unknown>;

/**
 * Returns the load of one flight, `undefined` if the class's `loadAll` loads it. A node is a
 * foreign object: its `load` may be a getter that throws.
 *
 * @throws LoadError `CACHEME_NO_LOAD` if the class has neither
 */
export function singleLoadOf(flight: Flight): SingleLoad | undefined {
  const { runtime, node, override } = flight;
  if (override !== undefined) return override;
  const { load } = node;
  if (load !== undefined) return load;
  if (runtime.loadAll === undefined) throw noLoad(flight);
  return undefined;
}

function noLoad({ runtime, key }: Flight): LoadError {
  return new LoadError(
    "CACHEME_NO_LOAD",
    `${nodeLabel(runtime.name, key)} is in no tier, and its class has neither load nor loadAll. ` +
      "Give the class one, or read it with get(node, { load }); peek(node) reads without loading.",
    { node: runtime.name, key },
  );
}
