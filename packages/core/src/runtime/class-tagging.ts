import type { Node } from "../node/node.js";
import type { Scopes } from "../tags/scopes.js";
import type { ClassTagging } from "./class-runtime.js";
import type { NodeKind } from "./node-kind.js";
import { NodeScope } from "./node-scope.js";
import { checkGenerations, NodeTags, type TaggedSpace } from "./node-tags.js";

/** The space of a class. */
interface ScopedSpace extends TaggedSpace {
  readonly scopes: Scopes;
}

/**
 * Finds out by which groups a class's values are invalidated.
 *
 * @param node one of the class's nodes
 * @throws ConfigurationError `CACHEME_NOT_OFFERED` if a remote storage cannot keep generations,
 *   `CACHEME_INVALID_SCOPE` if the level of the class is not defined
 */
export function taggingOf(node: Node, kind: NodeKind, space: ScopedSpace): ClassTagging {
  const { scopedTo, track } = kind.meta;
  if (track) checkGenerations(kind, "The option track");
  const scope = NodeScope.for(node, kind.name, scopedTo, space.scopes);
  return { scope, nodeTags: NodeTags.for(node, kind, scope !== undefined, space), tags: space.tags };
}
