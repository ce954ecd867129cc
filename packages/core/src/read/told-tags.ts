import { nodeLabel } from "../node/key.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import { checkGenerations } from "../runtime/node-tags.js";
import { OperationTags } from "../tags/operation-tags.js";
import { checkTag, mostTags, tooManyTags } from "../tags/tag-name.js";
import type { TagTable } from "../tags/tag-table.js";

/** An operation whose value tells tags. */
interface Telling {
  tagged: OperationTags | undefined;
}

/**
 * Adds the tags that a load tells by `context.tag` to its operation.
 *
 * @throws ConfigurationError `CACHEME_INVALID_TAG`, `CACHEME_TOO_MANY_TAGS`, `CACHEME_NOT_OFFERED`
 */
export function tellTags(
  { kind, name }: ClassRuntime,
  key: string,
  operation: Telling,
  told: readonly unknown[],
  table: TagTable,
): void {
  const subject = { what: `context.tag(…) in the load of ${nodeLabel(name, key)}`, node: name, key };
  const names = told.map((tag) => checkTag(tag, subject));
  if (names.length === 0) return;
  checkGenerations(kind, "context.tag(…)");
  kind.tellsTags = true;
  operation.tagged ??= new OperationTags([]);
  const { tagged } = operation;
  for (const tag of names) {
    tagged.tell(table.of(tag));
    const count = tagged.all.length;
    if (count > mostTags) throw tooManyTags(count, subject);
  }
}
