import { DriverStorage, type RemoteStorage } from "cacheme/driver";
import { mysqlDriver } from "./driver.js";
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
 * @param target the server: an address (`mysql://`, `mariadb://`), options of mysql2, or your
 *   program's own pool of `mysql2` or `mysql2/promise`. The storage uses such a pool with its
 *   settings and never closes it; it only removes connections that do not answer in time.
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid address or option,
 *   `CACHEME_INVALID_DURATION` for an invalid time
 *
 * The storage creates the table when it connects, or you do: see {@link mysqlTable} and the option
 * `createTable`.
 *
 * Each call settles within `commandTimeout`, and may reject with the errors of `DriverStorage`.
 *
 * @example
 * ```ts
 * await registerStorage("sql", mysql("mysql://app:secret@localhost:3306/app"));
 * await registerStorage("big", mysql({ host: "10.0.0.7", database: "app" }, { table: "cache" }));
 * ```
 */
export function mysql(
  target: string | MysqlConnectionOptions | MysqlPool,
  options: MysqlStorageOptions = {},
): RemoteStorage {
  const checked = settings(target, options);
  return new DriverStorage(mysqlDriver(checked), checked);
}
