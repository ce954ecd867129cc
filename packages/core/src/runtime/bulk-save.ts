import { ConfigurationError } from "../errors.js";
import type { ResolvedMeta } from "../node/meta.js";
import type { Node, NodeClass } from "../node/node.js";
import type { SaveContext, SavedEntry } from "../node/saves.js";
import type { MaybePromise } from "../node/value-of.js";
import { bulkLoadOf } from "./bulk-load.js";
import type { ClassCalls } from "./class-runtime.js";
import type { ClassRuntimes } from "./class-runtimes.js";

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
    loadAll: bulkLoadOf(nodeClass, meta.name),
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
  const { saveAll } = nodeClass as { readonly saveAll?: unknown }; // As in bulkLoadOf.
  const { name, write } = meta;
  if (saveAll === undefined) {
    if (write !== undefined && typeof node.save !== "function") {
      throw new ConfigurationError(
        "CACHEME_INVALID_NODE",
        `Node class "${name}" has \`write: "${write}"\` and no way to write. Give it a method \`save(value)\` or a static \`saveAll\`.`,
        { node: name },
      );
    }
    return undefined;
  }
  if (typeof saveAll !== "function") {
    throw new ConfigurationError(
      "CACHEME_INVALID_NODE",
      `The static saveAll of node class "${name}" is not a function.`,
      { node: name },
    );
  }
  return (entries, context) => saveAll.call(nodeClass, entries, context);
}
