import { isError, refusedConnection } from "cacheme/driver";
import type { Place } from "./client.js";
import type { CallOptions } from "./client-types.js";

/** MongoDB removes documents whose `cachemeSweepAt` has passed by it, once a minute. */
const sweepIndex = { name: "cacheme_sweep", key: { cachemeSweepAt: 1 }, expireAfterSeconds: 0 };

/** All fields of the order of writing, so that the server reads the index and no documents. */
const boundIndex = { name: "cacheme_written", key: { at: 1, _id: 1, cachemeSweepAt: 1 } };

/**
 * Makes the indexes. The one for the sweep may be refused (no right to make one, no such indexes):
 * the storage then sweeps by itself.
 *
 * @throws StorageError `CACHEME_CONNECT_REFUSED` if there is no index for `maxSize`
 */
export async function makeIndexes(
  place: Place,
  { label, maxSize }: { readonly label: string; readonly maxSize: number | undefined },
  options: CallOptions,
): Promise<void> {
  await refusalOf(sweepIndex, place, options);
  if (maxSize === undefined) return;
  const refusal = await refusalOf(boundIndex, place, options);
  if (refusal === undefined) return;
  const { database, collection } = place;
  const list = { listIndexes: collection.collectionName };
  const { cursor } = await database.command(list, options).catch(() => ({ cursor: {} }));
  const key = JSON.stringify(boundIndex.key);
  if (JSON.stringify(cursor).includes(key)) return;
  const remedy = `Grant the user createIndex, create the index ${key}, or leave maxSize out.`;
  throw refusedConnection(label, "the collection has no index for maxSize", remedy, refusal);
}

/** Makes an index, and returns the error of a server that refuses it. */
async function refusalOf(
  index: object,
  { database, collection }: Place,
  options: CallOptions,
): Promise<Error | undefined> {
  try {
    await database.command({ createIndexes: collection.collectionName, indexes: [index] }, options);
    return undefined;
  } catch (error) {
    if (isError(error) && error.name === "MongoServerError") return error;
    throw error;
  }
}
