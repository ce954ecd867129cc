import { tableName } from "cacheme/driver";

/**
 * The server's time in milliseconds since the epoch. UTC_TIMESTAMP knows no session's time zone and no daylight saving, as
 * NOW and UNIX_TIMESTAMP(NOW(3)) do; it is the statement's beginning and is replicated as such, as SYSDATE is not.
 */
export const now = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

/** Bytes of an `id`, at most. With 4 KiB a page, the least, InnoDB's index takes 768. */
export const longestId = 512;

/** What {@link mysqlTable} may be told. */
export interface MysqlTableOptions {
  /** Adds the index that the option `maxSize` of `mysql()` needs. Default `false`. */
  readonly bounded?: boolean | undefined;
}

/** The index that gives the order of writing. */
export const boundKey = "KEY written_at (written_at)";

/**
 * The statement that makes the table, for migrations: run it yourself and give the storage `createTable: false`. It is the
 * one that the storage runs by itself otherwise. MySQL from 8.0.13 and MariaDB from 10.5 take it.
 *
 * @param table as the option `table`. Default `"cacheme"`
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for a name that cannot be meant
 *
 * @example
 * ```ts
 * console.log(mysqlTable("cache.entries"));
 * ```
 */
export function mysqlTable(table = "cacheme", { bounded = false }: MysqlTableOptions = {}): string {
  return tableStatement(quoted(tableName(table, "mysqlTable()")), bounded);
}

/** {@link mysqlTable} for a name that is quoted. */
export function tableStatement(quoted: string, bounded: boolean): string {
  return `CREATE TABLE IF NOT EXISTS ${quoted} (
  -- The key's bytes; of a key of ${longestId} bytes or more its beginning and its SHA-256.
  id VARBINARY(${longestId}) NOT NULL PRIMARY KEY,
  long_key VARBINARY(6000) NULL,
  -- NULL where only a lease stands under the key.
  bytes LONGBLOB NULL,
  -- Milliseconds, on the server's clock. A row that names no time gets that of its statement.
  written_at BIGINT NOT NULL DEFAULT ${now},
  kept_for BIGINT NOT NULL DEFAULT 0,
  -- NULL: as long as it is kept.
  fresh_for BIGINT NULL,
  expires_at BIGINT GENERATED ALWAYS AS (written_at + kept_for) STORED,
  -- A lease stands where leased_for is not 0.
  token BINARY(16) NULL,
  leased_at BIGINT NOT NULL DEFAULT ${now},
  leased_for BIGINT NOT NULL DEFAULT 0,
  KEY expires_at (expires_at)${bounded ? `,\n  ${boundKey}` : ""}
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4`;
}

/** The parts were checked (`tableName`): nothing in them has a meaning between quotes. */
export function quoted(parts: readonly string[]): string {
  return parts.map((part) => `\`${part}\``).join(".");
}
