import { DriverStorage, type RemoteStorage } from "cacheme/driver";
import { PostgresDriver } from "./driver.js";
import { type PostgresConnectionOptions, type PostgresStorageOptions, settings } from "./options.js";
import type { PostgresPool } from "./pool.js";

export type { PostgresConnectionOptions, PostgresStorageOptions } from "./options.js";
export type { PostgresAnswer, PostgresPool, PostgresPoolClient, PostgresQuery } from "./pool.js";
export { type PostgresTableOptions, postgresTable } from "./table.js";

/**
 * A storage in a table of PostgreSQL, for `registerStorage`.
 *
 * Every batch is one statement and one round trip, every call settles within `commandTimeout`, and a connection that does
 * not answer is thrown away. Expired records are removed in the background. Nothing here keeps a finished program alive.
 * Records, leases and generations stand in one table, which is made when it is missing.
 *
 * @param target an address (`postgres://user:password@host:5432/database`), options of pg, or a `Pool` of pg that the
 *   program has already; such a pool is used with its own settings and is never closed from here
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an address or an option that cannot be meant,
 *   `CACHEME_INVALID_DURATION` for a timeout that is no duration
 *
 * The storage's calls reject with a `StorageError`: `CACHEME_CONNECT_FAILED` if the server cannot be reached,
 * `CACHEME_CONNECT_REFUSED` if it does not let us in, has no table or takes no writes, `CACHEME_UNSUPPORTED_SERVER` if it is
 * too old, `CACHEME_STORAGE_FAILED` where the server refuses or does not answer in time, `CACHEME_CLOSED` after `close()`.
 *
 * @example
 * ```ts
 * import { registerStorage } from "cacheme";
 * import { postgres } from "@cacheme/postgres";
 *
 * await registerStorage("postgres", postgres("postgres://localhost/app"));
 * await registerStorage("sessions", postgres({ host: "db.internal", database: "app" }, { table: "cache.sessions" }));
 * ```
 */
export function postgres(
  target: string | PostgresConnectionOptions | PostgresPool,
  options: PostgresStorageOptions = {},
): RemoteStorage {
  const checked = settings(target, options);
  return new DriverStorage(new PostgresDriver(checked), checked);
}
