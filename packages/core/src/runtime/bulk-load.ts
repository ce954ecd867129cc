import { ConfigurationError } from "../errors.js";
import type { NodeClass } from "../node/node.js";
import type { ClassRuntime } from "./class-runtime.js";

/**
 * Returns the class's static `loadAll`, bound to the class; `undefined` if it has none.
 *
 * @throws ConfigurationError `CACHEME_INVALID_NODE` if `loadAll` is not a function
 */
export function bulkLoadOf(nodeClass: NodeClass, name: string): ClassRuntime["loadAll"] {
  // NodeClass has no `loadAll`, so that classes whose nodes have private constructors fit. This
  // function checks it.
  const { loadAll } = nodeClass as { readonly loadAll?: unknown };
  if (loadAll === undefined) return undefined;
  if (typeof loadAll !== "function") {
    throw new ConfigurationError(
      "CACHEME_INVALID_NODE",
      `The static loadAll of node class "${name}" is not a function.`,
      { node: name },
    );
  }
  return (nodes, context) => loadAll.call(nodeClass, nodes, context);
}
