import { isError, refusedConnection, type WrittenRows } from "cacheme/driver";
import type { Place } from "./client.js";
import type { CallOptions } from "./client-types.js";
import type { CollectionCall } from "./collection-call.js";
import { type Command, unleased } from "./commands.js";
import type { RecordDocument } from "./record.js";

/*
 * The order of writing is that of `at`, with the key among the documents of one millisecond.
 * Documents of other programs have no `cachemeSweepAt`, and leases without a value no `at`, so
 * neither counts. The index has all fields of the order, so that the server reads it and no
 * documents.
 */

/** A document's place in the order of writing. */
export type WrittenAt = Required<Pick<RecordDocument, "_id" | "at">>;

/** Documents that are removed in one step. */
const batch = 1000;

const index = { name: "cacheme_written", key: { at: 1, _id: 1, cachemeSweepAt: 1 } };

/**
 * Makes the index that the option `maxSize` needs.
 *
 * @throws StorageError `CACHEME_CONNECT_REFUSED` if the server refuses it, and there is none
 */
export async function makeBoundIndex(
  { database, collection: { collectionName } }: Place,
  label: string,
  options: CallOptions,
): Promise<void> {
  try {
    await database.command({ createIndexes: collectionName, indexes: [index] }, options);
  } catch (error) {
    if (!isError(error) || error.name !== "MongoServerError") throw error;
    const { cursor } = await database
      .command({ listIndexes: collectionName }, options)
      .catch(() => ({ cursor: {} }));
    if (JSON.stringify(cursor).includes(JSON.stringify(index.key))) return;
    const remedy = `Grant the user createIndex, create the index ${JSON.stringify(index.key)}, or leave maxSize out.`;
    throw refusedConnection(label, "the collection has no index for maxSize", remedy, error);
  }
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
