import type { Clock } from "../clock.js";
import type { Events } from "../events.js";
import type { NodeKind } from "../runtime/node-kind.js";
import { nextBirth } from "../runtime/operation.js";
import type { Tag } from "../tags/tag.js";
import type { TagTable } from "../tags/tag-table.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import { incompleteTags } from "./incomplete.js";
import { rightToLeft } from "./storage-order.js";
import type { FailedTier } from "./store.js";

/** How long a storage keeps the generation of an invalidated tag, in milliseconds. A lost one costs misses. */
const kept = 24 * 60 * 60_000;

/** The environment of an invalidation of tags. */
export interface TagInvalidation {
  readonly table: TagTable;
  readonly clock: Clock;
  readonly events: Events;
  /** The remote storages of the space. */
  readonly storages: readonly RemoteBatch[];
  readonly kinds: Iterable<NodeKind>;
}

/**
 * Replaces the generation of each tag in every remote storage, so that no entry that carries one of
 * the tags is valid any more. One write for each storage, whatever the number of entries.
 *
 * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a storage could not be reached. Its
 *   entries of the tags are misses in this process until the tags are invalidated there
 */
export async function invalidateTags(tags: readonly Tag[], environment: TagInvalidation): Promise<void> {
  const { table, clock, events } = environment;
  if (tags.length === 0) return;
  table.invalidated(tags, nextBirth());
  const failed: FailedTier[] = [];
  for (const storage of rightToLeft(environment.storages, environment.kinds)) {
    if (!storage.generations.isSupported) continue;
    const error = await bump(storage, tags);
    // A storage on the left may be refilled from one that was not reached.
    if (error === undefined && failed.length === 0) table.trust(storage, tags);
    else table.distrust(storage, tags, clock.now());
    if (error !== undefined && !failed.some((other) => other.storage === storage.name))
      failed.push({ storage: storage.name, error });
  }
  table.reinvalidated(tags, nextBirth());
  const names = tags.map(({ name }) => name);
  const error = incompleteTags(names, failed);
  if (error !== undefined) throw error;
  if (events.listeners.invalidateTags !== null) events.emit("invalidateTags", { tags: names });
}

function bump(storage: RemoteBatch, tags: readonly Tag[]): Promise<Error | undefined> {
  return new Promise((resolve) => storage.generations.bump(tags, kept, resolve));
}
