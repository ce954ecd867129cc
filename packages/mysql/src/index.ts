import { DriverStorage, type RemoteStorage } from "cacheme/driver";
import { MysqlDriver } from "./driver.js";
import {
  type MysqlConnectionOptions,
  type MysqlPool,
  type MysqlStorageOptions,
  settings,
} from "./options.js";

export type { MysqlConnectionOptions, MysqlPool, MysqlStorageOptions } from "./options.js";
export { type MysqlTableOptions, mysqlTable } from "./table.js";

/**
 * A storage in a table of MySQL from 8.0.13 or MariaDB from 10.5.
 *
 * @param target where the server is: an address (`mysql://`, `mariadb://`), options of mysql2, or a pool that the program
 *   has already, of `mysql2` or `mysql2/promise`. Such a pool is used with its own settings and is never closed; only
 *   connections that do not answer in time are taken out of it.
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, for what cannot be meant
 *
 * The table is made when the storage connects, or by you: see {@link mysqlTable} and the option `createTable`.
 *
 * Every call settles within `commandTimeout` and rejects with a `StorageError`: `CACHEME_CONNECT_FAILED` while the
 * server cannot be reached, `CACHEME_CONNECT_REFUSED` if it does not let us in or takes no writes,
 * `CACHEME_UNSUPPORTED_SERVER` if it is too old, `CACHEME_STORAGE_FAILED` when it answers with an error or not in time,
 * `CACHEME_CLOSED` after `close()`.
 *
 * @example
 * ```ts
 * await registerStorage("sql", mysql("mysql://app:secret@localhost:3306/app"));
 * await registerStorage("big", mysql({ host: "10.0.0.7", user: "app", database: "app" }, { table: "cache", connect: "lazy" }));
 * ```
 */
export function mysql(
  target: string | MysqlConnectionOptions | MysqlPool,
  options: MysqlStorageOptions = {},
): RemoteStorage {
  const checked = settings(target, options);
  return new DriverStorage(new MysqlDriver(checked), checked);
}
