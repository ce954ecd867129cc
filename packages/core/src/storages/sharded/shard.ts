import type { Member } from "../../driver/rendezvous.js";
import { optionError } from "../../option-checks.js";
import type { RemoteStorage } from "../../storage/remote-storage.js";

/** One of the storages that {@link sharded} spreads its keys over. */
export interface Shard {
  readonly storage: RemoteStorage;
  /**
   * The name of the shard. The keys of a name are the same in every process. Default: the storage's
   * label, such as `redis://10.0.0.7:6379`.
   */
  readonly name?: string | undefined;
  /** The shard's share of the keys, relative to the others. Default: 1. */
  readonly weight?: number | undefined;
  /**
   * Whether the shard holds no old entries. `addShard` needs it for a shard that was removed before
   * and cannot list its keys. Default: false.
   */
  readonly isEmpty?: boolean | undefined;
}

/** A shard with its name and weight filled in. */
export interface ShardMember extends Member {
  readonly storage: RemoteStorage;
  readonly isEmpty: boolean;
}

/** An item of a batch, and its place there. */
interface Placed<T> {
  readonly item: T;
  readonly place: number;
}

/** Returns the parts of a batch, each with its shard, in the batch's order. */
export function byShard<T>(
  items: readonly T[],
  ownerOf: (item: T) => ShardMember,
): Map<ShardMember, Placed<T>[]> {
  const parts = new Map<ShardMember, Placed<T>[]>();
  for (const [place, item] of items.entries()) {
    const owner = ownerOf(item);
    const part = parts.get(owner);
    if (part === undefined) parts.set(owner, [{ item, place }]);
    else part.push({ item, place });
  }
  return parts;
}

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` if the argument is not a remote storage, or
 *   the weight is not above 0
 */
export function memberFrom(shard: RemoteStorage | Shard): ShardMember {
  const isNone = typeof shard !== "object" || shard === null;
  const {
    storage,
    name,
    weight = 1,
    isEmpty = false,
  }: Partial<Shard> = isNone ? {} : "storage" in shard ? shard : { storage: shard };
  if (storage?.kind !== "remote") {
    throw optionError(
      "sharded() expected remote storages. Give the results of redis() and its like, not their addresses.",
    );
  }
  if (!(weight > 0 && Number.isFinite(weight))) {
    throw optionError(`sharded() expected a weight above 0, got ${String(weight)}.`);
  }
  return { storage, name: name ?? storage.label, weight, isEmpty };
}

/** Refuses two shards of one name, because the hash could not tell them apart. */
export function checkNames(members: readonly ShardMember[]): void {
  const names = members.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice === undefined) return;
  throw optionError(
    `sharded() got two storages of the name ${JSON.stringify(twice)}. Give each its own name.`,
  );
}
