import { isError } from "cacheme/driver";
import type { Place } from "./client.js";
import { type Command, isOver } from "./commands.js";
import type { CallOptions, MongodbCollection } from "./driver.js";
import type { RecordDocument } from "./record.js";
import type { ServerClock } from "./server-clock.js";

/** What the index is called. */
const name = "cacheme_sweep";

/** Milliseconds between the end of a record and the time from which the database may remove its document. */
const margin = 60_000;

/** Documents in one batch of a sweep. */
const batch = 1000;

/** When a document that is over in so many milliseconds may be removed. */
export function sweepTime(clock: ServerClock, length: number): Date {
  return new Date(Math.floor(clock.now()) + length + margin);
}

/**
 * The index by which MongoDB removes documents of which `cachemeSweepAt` has passed, once a minute.
 *
 * @returns whether there is one now. A server may refuse it (no right to make one, no such indexes); then {@link sweep}
 *   does the work.
 */
export async function makeIndex({ database, collection }: Place, options: CallOptions): Promise<boolean> {
  try {
    const index = { name, key: { cachemeSweepAt: 1 }, expireAfterSeconds: 0 };
    await database.command({ createIndexes: collection.collectionName, indexes: [index] }, options);
    return true;
  } catch (error) {
    if (isError(error) && error.name === "MongoServerError") return false;
    throw error;
  }
}

/**
 * Removes one batch of documents that are over for some time, for servers that have no TTL indexes, refuse them, accept
 * them and do nothing, or have their TTL monitor switched off. Where the server does it itself, nothing is found, by way
 * of the same index.
 *
 * @param overdue milliseconds that a document must be over: what the server itself would have removed by then
 * @returns whether there may be more
 */
export async function sweep(
  collection: MongodbCollection,
  clock: ServerClock,
  overdue: number,
  options: CallOptions,
): Promise<boolean> {
  const due = new Date(Math.floor(clock.now()) + margin - overdue);
  const filter: Command = { cachemeSweepAt: { $lt: due } };
  const found = await collection
    .find(filter, { projection: { _id: 1 }, limit: batch, batchSize: batch + 1, ...options })
    .toArray();
  if (found.length === 0) return false;
  // What the projection leaves. The server's own clock has the last word on each.
  const ids = (found as readonly Pick<RecordDocument, "_id">[]).map(({ _id }) => _id);
  const { deletedCount } = await collection.deleteMany(isOver(ids), options);
  return deletedCount === batch;
}
