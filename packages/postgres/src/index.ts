import { DriverStorage, type RemoteStorage } from "cacheme/driver";
import { postgresDriver } from "./driver.js";
import { type PostgresConnectionOptions, type PostgresStorageOptions, settings } from "./options.js";
import type { PostgresPool } from "./pool.js";

export type { PostgresBusOptions } from "./bus/options.js";
export { postgresBus } from "./bus/postgres-bus.js";
export type { PostgresJournalOptions } from "./journal/options.js";
export { postgresJournal } from "./journal/postgres-journal.js";
export { type PostgresJournalTableOptions, postgresJournalTable } from "./journal/table.js";
export type { PostgresConnectionOptions, PostgresStorageOptions } from "./options.js";
export type { PostgresAnswer, PostgresPool, PostgresPoolClient, PostgresQuery } from "./pool.js";
export { type PostgresTableOptions, postgresTable } from "./table.js";

/**
 * A storage in a table of PostgreSQL, for `registerStorage`.
 *
 * Each batch is one statement and one round trip. Each call settles within `commandTimeout`, and a
 * connection that does not answer is destroyed. The storage removes expired records in the
 * background, and never keeps a finished program alive. One table holds records, leases and
 * generations; the storage creates it if it is missing.
 *
 * @param target an address (`postgres://user:password@host:5432/database`), options of pg, or a
 *   `Pool` of pg of your program's own, which the storage uses with its settings and never closes
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid address or option,
 *   `CACHEME_INVALID_DURATION` for an invalid time
 *
 * The storage's calls reject with the errors of `DriverStorage`.
 *
 * @example
 * ```ts
 * import { registerStorage } from "cacheme";
 * import { postgres } from "@cacheme/postgres";
 *
 * await registerStorage("postgres", postgres("postgres://localhost/app")); await
 * registerStorage("sessions", postgres({ host: "db.internal", database: "app" }, { table:
 * "cache.sessions" }));
 * ```
 */
export function postgres(
  target: string | PostgresConnectionOptions | PostgresPool,
  options: PostgresStorageOptions = {},
): RemoteStorage {
  const checked = settings(target, options);
  return new DriverStorage(postgresDriver(checked), checked);
}
