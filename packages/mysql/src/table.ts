import { quotedName, tableName } from "cacheme/driver";

/**
 * The server's time in milliseconds since the epoch. Unlike NOW and UNIX_TIMESTAMP(NOW(3)),
 * UTC_TIMESTAMP does not depend on a session's time zone or on daylight saving. Unlike SYSDATE, it
 * is the time of the statement's beginning and is replicated.
 */
export const now = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

/** The most bytes of an `id`. InnoDB's index takes 768 with the smallest pages, of 4 KiB. */
export const longestId = 512;

/** Options of {@link mysqlTable}. */
export interface MysqlTableOptions {
  /** Adds the index that the option `maxSize` of `mysql()` needs. Default `false`. */
  readonly bounded?: boolean | undefined;
}

/** The index that gives the order of writing. */
export const boundKey = "KEY written_at (written_at)";

/**
 * Returns the statement that creates the table, for migrations: run it yourself and give the
 * storage `createTable: false`. Otherwise the storage runs it. It works on MySQL from 8.0.13 and
 * MariaDB from 10.5.
 *
 * @param table as the option `table`. Default `"cacheme"`
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid name
 *
 * @example
 * ```ts
 * console.log(mysqlTable("cache.entries"));
 * ```
 */
export function mysqlTable(table = "cacheme", { bounded = false }: MysqlTableOptions = {}): string {
  return tableStatement(quotedName(tableName(table, "mysqlTable()"), "`"), bounded);
}

/** {@link mysqlTable} for a quoted name. */
export function tableStatement(quoted: string, bounded: boolean): string {
  return `CREATE TABLE IF NOT EXISTS ${quoted} (
  -- The key's bytes; of a key of ${longestId} bytes or more its beginning and its SHA-256.
  id VARBINARY(${longestId}) NOT NULL PRIMARY KEY,
  long_key VARBINARY(6000) NULL,
  -- NULL if the key has only a lease.
  bytes LONGBLOB NULL,
  -- Milliseconds, on the server's clock. The default is the time of the statement.
  written_at BIGINT NOT NULL DEFAULT ${now},
  kept_for BIGINT NOT NULL DEFAULT 0,
  -- NULL: as long as kept_for.
  fresh_for BIGINT NULL,
  expires_at BIGINT GENERATED ALWAYS AS (written_at + kept_for) STORED,
  -- The row has a lease if leased_for is not 0.
  token BINARY(16) NULL,
  leased_at BIGINT NOT NULL DEFAULT ${now},
  leased_for BIGINT NOT NULL DEFAULT 0,
  KEY expires_at (expires_at)${bounded ? `,\n  ${boundKey}` : ""}
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4`;
}
