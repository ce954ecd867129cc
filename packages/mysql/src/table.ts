import { quotedName, tableName } from "cacheme/driver";
import type { Statement } from "./statement.js";

/**
 * The server's time in milliseconds since the epoch. Unlike NOW and UNIX_TIMESTAMP(NOW(3)),
 * UTC_TIMESTAMP does not depend on a session's time zone or on daylight saving. Unlike SYSDATE, it
 * is the time of the statement's beginning and is replicated.
 */
export const now = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

/** Reads the server's time in milliseconds, from which every expiry is counted. */
export const time: Statement = { sql: `SELECT ${now}` };

/** Asks for the server's product, version and settings. */
export const serverFacts: Statement = {
  sql: "SELECT VERSION(), @@max_allowed_packet, @@autocommit, @@version_comment, @@sql_mode",
};

/** Asks for the estimated records and bytes of a table. */
export function tableFacts(quoted: string): Statement {
  return ofTable("SELECT table_rows, data_length + index_length FROM information_schema.tables", quoted);
}

/** Fails if the table or one of its columns is missing. */
export function probe(quoted: string): Statement {
  const columns =
    "id, long_key, bytes, written_at, kept_for, fresh_for, expires_at, token, leased_at, leased_for";
  return { sql: `SELECT ${columns} FROM ${quoted} LIMIT 0` };
}

/** Answers a row if the table has the index of {@link boundKey}, whatever its name is. */
export function boundProbe(quoted: string): Statement {
  return ofTable(
    "SELECT 1 FROM information_schema.statistics",
    quoted,
    "AND column_name = 'written_at' AND seq_in_index = 1",
  );
}

function ofTable(select: string, quoted: string, rest = ""): Statement {
  const [name = "", database = null] = quoted.replaceAll("`", "").split(".").reverse();
  const sql = `${select} WHERE table_name = ? AND table_schema = COALESCE(?, DATABASE()) ${rest}`;
  return { sql, parameters: [name, database] };
}

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
