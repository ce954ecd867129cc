import type { RemoteStorage } from "cacheme";
import { DriverStorage } from "cacheme/driver";
import type { MongodbClient, MongodbDatabase } from "./client-types.js";
import { mongodbDriver } from "./driver.js";
import { type MongodbConnectionOptions, type MongodbStorageOptions, settings } from "./options.js";

export type {
  MongodbBulkResult,
  MongodbClient,
  MongodbCollection,
  MongodbCursor,
  MongodbDatabase,
} from "./client-types.js";
export type { MongodbConnectionOptions, MongodbStorageOptions } from "./options.js";

/**
 * Stores records in MongoDB: one document for each key, in a collection of its own.
 *
 * @param target the server: an address (`mongodb://`, `mongodb+srv://`), options of the package
 *   mongodb with `hosts`, or a `MongoClient` or `Db` that the program has already. The storage uses
 *   such a client with its own settings, adds only the deadline, and never closes it.
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, for
 *   an invalid address or option
 *
 * Every call settles within `commandTimeout`, and rejects with the errors of `DriverStorage`. A
 * value of more than 16,760,832 bytes is refused, because a document has at most 16 MiB.
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
  const checked = settings(target, options);
  return new DriverStorage(mongodbDriver(checked), checked);
}
