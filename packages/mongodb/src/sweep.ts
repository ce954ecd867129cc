import type { WrittenRows } from "cacheme/driver";
import type { CollectionCall } from "./collection-call.js";
import { type Command, expired, unleased } from "./commands.js";
import type { WrittenAt } from "./record.js";

/** Documents that are removed in one step. */
const batch = 1000;

/**
 * Removes one batch of documents that expired some time ago, for servers that have no TTL indexes,
 * refuse them, ignore them, or have their TTL monitor switched off. If the server removes documents
 * itself, the same index shows that there are none.
 *
 * @param overdue milliseconds that a document must be expired for, in which the server itself would
 *   have removed it
 * @returns whether there may be more
 */
export async function sweep(call: CollectionCall, overdue: number): Promise<boolean> {
  const due = call.clock.sweepTime(-overdue);
  const found = await call.keys({ cachemeSweepAt: { $lt: due } }, { limit: batch });
  if (found.length === 0) return false;
  // The server's own clock decides on each.
  return (await call.remove(expired(found))) === batch;
}

/** Returns the documents in the order of writing, for `SizeBound`. */
export function writtenDocuments(call: CollectionCall): WrittenRows<WrittenAt> {
  return {
    async find(olderThan, skipped) {
      const filter = olderThan === undefined ? written : upTo("$lt", olderThan);
      return call.first(filter, { sort: { at: -1, _id: -1 }, skip: skipped });
    },
    async removeUpTo(place) {
      const filter = { ...upTo("$lte", place), ...unleased };
      const keys = await call.keys(filter, { sort: { at: 1, _id: 1 }, limit: batch });
      // A client may have written one of them again.
      if (keys.length > 0) await call.remove({ $and: [{ _id: { $in: keys } }, filter] });
      return keys.length === batch;
    },
  };
}

const epoch = new Date(0);
const written: Command = { at: { $gt: epoch }, cachemeSweepAt: { $gt: epoch } };

function upTo(operator: "$lt" | "$lte", { at, _id }: WrittenAt): Command {
  return {
    // A server may store times more precisely than it answers them.
    at: { $gt: epoch, $lt: new Date(at.getTime() + 1) },
    cachemeSweepAt: { $gt: epoch },
    $or: [{ at: { $lt: at } }, { _id: { [operator]: _id } }],
  };
}
