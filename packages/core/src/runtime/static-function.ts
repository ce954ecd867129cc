import { ConfigurationError } from "../errors.js";
import type { NodeClass } from "../node/node.js";

/** The static functions for many nodes, which a class may have. */
type StaticName = "loadAll" | "saveAll";

/**
 * Returns the class's static function, bound to the class; `undefined` if it has none. `NodeClass`
 * has no such member, so that classes whose nodes have private constructors fit. The caller states
 * its form.
 *
 * @throws ConfigurationError `CACHEME_INVALID_NODE` if the member is not a function
 */
export function staticFunctionOf<F>(nodeClass: NodeClass, node: string, name: StaticName): F | undefined {
  const member = (nodeClass as { readonly [N in StaticName]?: unknown })[name];
  if (member === undefined) return undefined;
  if (typeof member === "function") return member.bind(nodeClass);
  throw new ConfigurationError(
    "CACHEME_INVALID_NODE",
    `The static ${name} of node class "${node}" is not a function.`,
    { node },
  );
}
