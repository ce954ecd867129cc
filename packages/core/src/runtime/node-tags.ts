import { ConfigurationError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { Node } from "../node/node.js";
import type { Tag } from "../tags/tag.js";
import { checkTags } from "../tags/tag-name.js";
import type { TagTable } from "../tags/tag-table.js";
import type { NodeKind } from "./node-kind.js";

/** Finds the tags of a class's nodes that are known before the value. */
export class NodeTags {
  readonly #kind: NodeKind;
  readonly #table: TagTable;

  private constructor(kind: NodeKind, table: TagTable) {
    this.#kind = kind;
    this.#table = table;
  }

  /**
   * Returns the tags of a class; `undefined` if it has none.
   *
   * @param node one of the class's nodes
   * @throws ConfigurationError `CACHEME_NOT_OFFERED` if a remote storage cannot keep generations
   */
  static for(node: Node, kind: NodeKind, table: TagTable): NodeTags | undefined {
    if (typeof node.tags !== "function") return undefined;
    checkGenerations(kind, "tags()");
    return new NodeTags(kind, table);
  }

  /**
   * Returns the node's tags. They are foreign code.
   *
   * @throws ConfigurationError `CACHEME_INVALID_TAG`, `CACHEME_TOO_MANY_TAGS`, or the error of
   *   `tags()`
   */
  of(node: Node, key: string): readonly Tag[] {
    const { name } = this.#kind;
    const subject = { what: `tags() of ${nodeLabel(name, key)}`, node: name, key };
    return checkTags(node.tags?.(), subject).map((tag) => this.#table.of(tag));
  }
}

/**
 * Refuses tags if a remote storage of the class cannot keep generations, because an invalidation
 * of the tags would not reach the entries there.
 *
 * @param what the feature that needs them, such as `tags()`
 * @throws ConfigurationError `CACHEME_NOT_OFFERED`, with the storage's reason
 */
export function checkGenerations({ name, remoteTiers }: NodeKind, what: string): void {
  for (const { storage: remote } of remoteTiers) {
    if (remote.generations.isSupported) continue;
    const { label, lacks } = remote.storage;
    throw new ConfigurationError(
      "CACHEME_NOT_OFFERED",
      `${what} of node "${name}" needs generations, which storage "${remote.name}" (${label}) does not support: ` +
        `${lacks?.generations ?? "Its driver does not have them."} Keep the class in another storage, or do without tags.`,
      { node: name, storage: remote.name },
    );
  }
}
