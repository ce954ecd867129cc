import type { RemoteStorage } from "cacheme";
import type { MongodbClient, MongodbDatabase } from "./driver.js";
import { type MongodbConnectionOptions, type MongodbStorageOptions, settings } from "./options.js";
import { MongodbStorage } from "./storage.js";

export type {
  MongodbBulkResult,
  MongodbClient,
  MongodbCollection,
  MongodbCursor,
  MongodbDatabase,
} from "./driver.js";
export type { MongodbConnectionOptions, MongodbStorageOptions } from "./options.js";

/**
 * A storage in MongoDB: a document a key, in a collection of its own.
 *
 * @param target where the server is: an address (`mongodb://`, `mongodb+srv://`), options of the driver with `hosts`, or a
 *   `MongoClient` or `Db` of the driver that the program has already. Such a client is used with its own settings and is
 *   never closed; only the deadline is added.
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, for what cannot be meant
 *
 * Every call settles within `commandTimeout` and rejects with a `StorageError`: `CACHEME_CONNECT_FAILED` where the server
 * could not be reached from the start, `CACHEME_CONNECT_REFUSED` if it does not let us in, `CACHEME_UNSUPPORTED_SERVER` if a
 * call of some kind does not work on it, `CACHEME_STORAGE_FAILED` when it answers with an error or not in time,
 * `CACHEME_CLOSED` after `close()`. A value of more than 16,760,832 bytes is refused: a document has 16 MiB at most.
 *
 * @example
 * ```ts
 * await registerStorage("mongodb", mongodb("mongodb://localhost:27017/app"));
 * await registerStorage("sessions", mongodb(client, { database: "app", collection: "sessions", commandTimeout: "200ms" }));
 * ```
 */
export function mongodb(
  target: string | MongodbConnectionOptions | MongodbClient | MongodbDatabase,
  options: MongodbStorageOptions = {},
): RemoteStorage {
  return new MongodbStorage(settings(target, options));
}
