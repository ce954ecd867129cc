import type { Entry } from "../entry/entry.js";
import { LoadError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import { ConditionalLoad } from "../runtime/conditional-load.js";
import type { Flight } from "../runtime/flight.js";
import type { ReplacedEntry } from "../runtime/replaced-entry.js";
import type { LocalRecord } from "../storage/local-storage.js";
import { areCurrent, tagNames } from "../tags/known-generation.js";
import { OperationTags } from "../tags/operation-tags.js";
import type { TagTable } from "../tags/tag-table.js";

/** Returns the flight's conditional load, made at the first use. */
export function conditionalOf(flight: Flight, now: number): ConditionalLoad {
  const { runtime, key } = flight;
  flight.conditional ??= new ConditionalLoad(
    runtime.name,
    key,
    previousOf(runtime, key, flight.replaced, now),
  );
  return flight.conditional;
}

/**
 * Returns the newest entry that a load replaces: one of the local tiers, or the one that a remote
 * tier has answered. A removed entry is in none, and one whose tag was invalidated is skipped. A local
 * entry counts only without remote tiers, because another process may have removed the key.
 */
export function previousOf(
  { localTiers, remoteTiers, space }: ClassRuntime,
  key: string,
  replaced: ReplacedEntry | undefined,
  now: number,
): Entry | undefined {
  let newest: ReplacedEntry | undefined;
  if (replaced !== undefined && isCurrent(replaced.record)) newest = replaced;
  for (const { name, storage } of remoteTiers.length > 0 ? [] : localTiers) {
    const record = storage.peek(space, key);
    if (record === undefined || !isCurrent(record)) continue;
    if (newest === undefined || newest.record.writtenAt < record.writtenAt)
      newest = { record, origin: name, size: undefined };
  }
  if (newest === undefined) return undefined;
  const { record, origin, size } = newest;
  const { value, writtenAt, freshUntil, kept, generations } = record;
  const tags = tagNames(generations);
  return { value, writtenAt, freshUntil, kept, origin, ttl: freshUntil - now, size, hits: undefined, tags };
}

function isCurrent({ generations }: LocalRecord): boolean {
  return generations === undefined || areCurrent(generations);
}

/** An operation whose load has answered. */
interface Renewing {
  readonly conditional: ConditionalLoad | undefined;
  tagged: OperationTags | undefined;
}

/**
 * Returns the value of a load that found its previous value unchanged. The value keeps its tags.
 *
 * @throws LoadError `CACHEME_LOAD_SHAPE` for the answer of another node
 */
export function renewedValue(
  { name }: ClassRuntime,
  key: string,
  operation: Renewing,
  answer: ConditionalLoad,
  table: TagTable,
): unknown {
  const { previous } = answer;
  if (answer !== operation.conditional || previous === undefined) {
    throw new LoadError(
      "CACHEME_LOAD_SHAPE",
      `The load of ${nodeLabel(name, key)} returned the notModified() of another node's context. ` +
        "Return the one of the node's own context: context.for(node).notModified() in loadAll.",
      { node: name, key },
    );
  }
  if (previous.tags.length > 0) {
    operation.tagged ??= new OperationTags([]);
    for (const tag of previous.tags) operation.tagged.tell(table.of(tag));
  }
  return answer.renewed(previous);
}
