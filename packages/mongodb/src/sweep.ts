import { isError } from "cacheme/driver";
import type { Place } from "./client.js";
import type { CallOptions } from "./client-types.js";
import type { CollectionCall } from "./collection-call.js";
import { expired } from "./commands.js";
import type { ServerClock } from "./server-clock.js";

/** The index's name. */
const name = "cacheme_sweep";

/** Milliseconds between the end of a record and the removal of its document. */
const margin = 60_000;

/** Documents in one batch of a sweep. */
const batch = 1000;

/** Returns the time from which a document that expires in so many milliseconds may be removed. */
export function sweepTime(clock: ServerClock, length: number): Date {
  return new Date(Math.floor(clock.now()) + length + margin);
}

/**
 * Makes the index by which MongoDB removes documents whose `cachemeSweepAt` has passed, once a
 * minute. If the server refuses it (no right to make one, no such indexes), {@link sweep} removes
 * them.
 */
export async function makeIndex({ database, collection }: Place, options: CallOptions): Promise<void> {
  try {
    const index = { name, key: { cachemeSweepAt: 1 }, expireAfterSeconds: 0 };
    await database.command({ createIndexes: collection.collectionName, indexes: [index] }, options);
  } catch (error) {
    if (!isError(error) || error.name !== "MongoServerError") throw error;
  }
}

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
  const due = new Date(Math.floor(call.clock.now()) + margin - overdue);
  const found = await call.keys({ cachemeSweepAt: { $lt: due } }, { limit: batch });
  if (found.length === 0) return false;
  // The server's own clock decides on each.
  return (await call.remove(expired(found))) === batch;
}
