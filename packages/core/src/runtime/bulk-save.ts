import { ConfigurationError } from "../errors.js";
import type { ResolvedMeta } from "../node/meta.js";
import type { Node, NodeClass } from "../node/node.js";
import type { SaveContext, SavedEntry } from "../node/saves.js";
import type { MaybePromise } from "../node/value-of.js";
import type { BulkLoad, ClassCalls } from "./class-runtime.js";
import type { ClassRuntimes } from "./class-runtimes.js";
import { staticFunctionOf } from "./static-function.js";

/** A class's static `saveAll`, bound to the class. */
export type BulkSave = (entries: readonly SavedEntry<Node>[], context: SaveContext) => MaybePromise<unknown>;

/**
 * Returns the class's static functions for many nodes, bound to the class, and its unsaved values.
 *
 * @throws ConfigurationError `CACHEME_INVALID_NODE`, `CACHEME_UNKNOWN_JOURNAL`
 */
export function bulkCallsOf(
  nodeClass: NodeClass,
  meta: ResolvedMeta,
  node: Node,
  journals: Pick<ClassRuntimes, "unsavedIn">,
): ClassCalls {
  return {
    loadAll: staticFunctionOf<BulkLoad>(nodeClass, meta.name, "loadAll"),
    saveAll: bulkSaveOf(nodeClass, meta, node),
    unsaved: meta.journal === undefined ? undefined : journals.unsavedIn(meta.journal, meta.name),
  };
}

/**
 * Returns the class's static `saveAll`, bound to the class; `undefined` if it has none.
 *
 * @param node one of the class's nodes
 * @throws ConfigurationError `CACHEME_INVALID_NODE` if `saveAll` is not a function, or if the class
 *   states how it writes and can write nothing
 */
function bulkSaveOf(nodeClass: NodeClass, meta: ResolvedMeta, node: Node): BulkSave | undefined {
  const { name, write } = meta;
  const saveAll = staticFunctionOf<BulkSave>(nodeClass, name, "saveAll");
  if (saveAll === undefined && write !== undefined && typeof node.save !== "function") {
    throw new ConfigurationError(
      "CACHEME_INVALID_NODE",
      `Node class "${name}" has \`write: "${write}"\` and no way to write. Give it a method \`save(value)\` or a static \`saveAll\`.`,
      { node: name },
    );
  }
  return saveAll;
}
