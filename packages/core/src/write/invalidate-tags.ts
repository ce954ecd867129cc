import type { TagMessage } from "../bus/message.js";
import type { Clock } from "../clock.js";
import type { Events } from "../events.js";
import { changesTags } from "../request/own-changes.js";
import type { NodeKind } from "../runtime/node-kind.js";
import { nextBirth } from "../runtime/operation.js";
import type { Tag } from "../tags/tag.js";
import type { TagTable } from "../tags/tag-table.js";
import type { Distrust } from "../tiers/distrust.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import type { FailedTier } from "./failed-tier.js";
import { incompleteTags } from "./incomplete.js";
import { rightToLeft } from "./storage-order.js";
import { distrustTag } from "./tag-replay.js";

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
  /** Tells other processes. */
  publish(news: TagMessage, done: () => void): void;
}

/**
 * Replaces the generation of each tag in every remote storage, so that no entry that carries one of
 * the tags is valid any more. One write for each storage, whatever the number of entries.
 *
 * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a storage could not be reached. The
 *   invalidation is repeated until it succeeds, and its entries of the tags are misses until then
 */
export async function invalidateTags(tags: readonly Tag[], environment: TagInvalidation): Promise<void> {
  const { table, events } = environment;
  if (tags.length === 0) return;
  const names = tags.map(({ name }) => name);
  const dropAgain = changesTags(new Set(names), table);
  table.invalidated(tags, nextBirth());
  const failed: FailedTier[] = [];
  /** The distrusted tags of the storages that were not reached, and of those on their left. */
  const right: Distrust[] = [];
  for (const storage of rightToLeft(environment.storages, environment.kinds)) {
    if (!storage.generations.isSupported) continue;
    const error = await bump(storage, tags);
    // A storage on the left may be refilled from one that was not reached.
    if (error === undefined && right.length === 0) for (const { name } of tags) table.trust(storage, name);
    else {
      const settled = Promise.all(tags.map((tag) => distrust(tag, storage, right, environment)));
      right.push(table.distrustIn(storage));
      if (error !== undefined && !failed.some((other) => other.storage === storage.name))
        failed.push({ storage: storage.name, error, settled });
    }
  }
  table.reinvalidated(tags, nextBirth());
  await publish(tags, failed, environment);
  dropAgain?.();
  const error = incompleteTags(names, failed);
  if (error !== undefined) throw error;
  if (events.listeners.invalidateTags !== null) events.emit("invalidateTags", { tags: names });
}

/** Repeats the invalidation of a tag in a storage until it succeeds. */
function distrust(
  tag: Tag,
  storage: RemoteBatch,
  right: readonly Distrust[],
  environment: TagInvalidation,
): Promise<void> | undefined {
  const { table, clock } = environment;
  const repeat = (done: (error: Error | undefined) => void) =>
    storage.latest.generations.bump([tag], kept, (error) => {
      table.reinvalidated([tag], nextBirth());
      if (error === undefined) void publish([tag], [], environment);
      done(error);
    });
  const failed = { name: tag.name, storage, distrust: table.distrustIn(storage), right: [...right] };
  return distrustTag({ ...failed, now: clock.now(), repeat });
}

/**
 * Tells other processes the new generations. If a storage was not reached, or there is none, they
 * drop what they know of the tags.
 */
async function publish(
  tags: readonly Tag[],
  failed: readonly FailedTier[],
  { storages, clock, publish }: TagInvalidation,
): Promise<void> {
  const news: TagMessage[] = [];
  for (const tag of tags) {
    const told = failed.length > 0 ? [] : storages.flatMap((storage) => tag.in(storage) ?? []);
    for (const { storage, id, at } of told)
      news.push({ tag: tag.name, storage: storage?.name, generation: { id, at } });
    if (told.length === 0)
      news.push({ tag: tag.name, storage: undefined, generation: { id: "unknown", at: clock.now() } });
  }
  await Promise.all(news.map((each) => new Promise<void>((resolve) => publish(each, resolve))));
}

function bump(storage: RemoteBatch, tags: readonly Tag[]): Promise<Error | undefined> {
  return new Promise((resolve) => storage.generations.bump(tags, kept, resolve));
}
