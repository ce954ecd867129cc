import type { RemoteStorage } from "cacheme";
import { DriverStorage } from "cacheme/driver";
import { sqliteDriver } from "./driver.js";
import {
  type SqliteConnectionOptions,
  type SqliteDatabase,
  type SqliteStorageOptions,
  settings,
} from "./options.js";

export type { BetterSqlite3Database, DriverName, NodeSqliteDatabase } from "./database.js";
export type { SqliteJournalOptions } from "./journal/options.js";
export { sqliteJournal } from "./journal/sqlite-journal.js";
export type {
  CorruptFile,
  SqliteConnectionOptions,
  SqliteDatabase,
  SqliteStorageOptions,
} from "./options.js";

/**
 * A storage in a file of SQLite: durable, without a server, shared by the processes of one machine.
 *
 * @param target the database's place: a path, an address (`sqlite:///var/cache/data.db`, `sqlite:relative.db`,
 *   `sqlite::memory:`), `{ file }`, or a handle that the program has already: a `DatabaseSync` of `node:sqlite` or a
 *   database of better-sqlite3. Such a handle is used with its own settings and is never closed.
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, for an invalid target or option
 *
 * SQLite works in the calling thread: a call holds the event loop while it is at work, some microseconds a record. Large
 * batches are cut into slices of 20 ms, and a lock of another process is waited for without holding anything up. Calls reject
 * with the errors of `DriverStorage`, and with `CACHEME_FOREIGN_DATA` if the file is no database or a damaged one of another
 * program. A damaged file that the storage made is no error: it is set aside, reported, and a new one made.
 *
 * @example
 * ```ts
 * await registerStorage("disk", sqlite("/var/cache/app/data.db"));
 * await registerStorage("sessions", sqlite({ file: "sessions.db" }, { commandTimeout: "200ms", sweepInterval: "10m" }));
 * ```
 */
export function sqlite(
  target: string | SqliteConnectionOptions | SqliteDatabase,
  options: SqliteStorageOptions = {},
): RemoteStorage {
  const checked = settings(target, options);
  return new DriverStorage(sqliteDriver(checked), checked);
}
