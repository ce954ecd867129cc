import { quotedName, tableName } from "cacheme/driver";

/** Options of {@link postgresTable}. */
export interface PostgresTableOptions {
  /**
   * The table's name, also with its schema: `"cacheme"`, `"cache.entries"`. Default `"cacheme"`.
   */
  readonly table?: string | undefined;
  /**
   * Creates an UNLOGGED table: writes are faster, the table is empty after a crash of the server,
   * and replicas do not have it. Default `false`.
   */
  readonly unlogged?: boolean | undefined;
  /** Adds the index that the option `maxSize` of `postgres()` needs. Default `false`. */
  readonly bounded?: boolean | undefined;
}

/**
 * Returns the statements that create the table of `postgres()`, for migrations of programs whose
 * database user may not create tables (`createTable: false`). They do nothing if the table exists.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid name
 *
 * @example
 * ```ts
 * import { postgresTable } from "@cacheme/postgres";
 *
 * console.log(postgresTable({ table: "cache.entries", unlogged: true }));
 * ```
 */
export function postgresTable({
  table = "cacheme",
  unlogged = false,
  bounded = false,
}: PostgresTableOptions = {}): string {
  const parts = tableName(table, "postgresTable()");
  const name = quotedName(parts, '"');
  const written = `CREATE INDEX IF NOT EXISTS ${indexName(parts, "written")} ON ${name} (written);\n`;
  // EXTERNAL turns off PostgreSQL's compression: it costs more time than it saves, and a serializer
  // may have compressed.
  return `CREATE ${unlogged ? "UNLOGGED " : ""}TABLE IF NOT EXISTS ${name} (
  key text COLLATE "C" PRIMARY KEY,
  long_key text COLLATE "C",
  bytes bytea,
  expires timestamptz NOT NULL,
  fresh_until timestamptz NOT NULL,
  lease uuid,
  lease_until timestamptz,
  written timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE ${name} ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE INDEX IF NOT EXISTS ${indexName(parts, "expires")} ON ${name} (expires) WHERE expires < 'infinity';
${bounded ? written : ""}`;
}

/**
 * Selects each column of no row: it fails for a table that lacks a column, or that may not be read.
 */
export function probe(table: string): string {
  return `SELECT key, long_key, bytes, expires, fresh_until, lease, lease_until, written FROM ${table} LIMIT 0`;
}

/** Answers a row if the table has the index that its bound needs, whatever its name is. */
export function boundProbe(table: string): string {
  return `SELECT 1 FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = to_regclass('${table}') AND a.attname = 'written' AND i.indisvalid`;
}

/**
 * Creates the table under a lock, because two processes that create one table at one moment would
 * fail on the catalogue's unique indexes, even with IF NOT EXISTS. The lock ends with the
 * transaction.
 */
export function creation(options: Required<PostgresTableOptions>, milliseconds: number): string {
  return createdAlone(postgresTable(options), `${options.table}`, milliseconds);
}

/**
 * Wraps the statements that create a table in a transaction under the lock of its name.
 *
 * @param milliseconds the time that the statements may take
 */
export function createdAlone(statements: string, table: string, milliseconds: number): string {
  return `BEGIN;
SET LOCAL statement_timeout = ${Math.ceil(milliseconds)};
SELECT pg_advisory_xact_lock(hashtext('cacheme:${table}'));
${statements}COMMIT`;
}

/** Returns a name of at most 63 bytes, after which PostgreSQL would cut it off. */
function indexName(parts: readonly string[], column: string): string {
  return quotedName([`${(parts.at(-1) ?? "").slice(0, 55)}_${column}`], '"');
}
