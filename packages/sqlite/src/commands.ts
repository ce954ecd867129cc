import { StorageError } from "cacheme/driver";
import type { Database, Statement } from "./database.js";
import type { TableSettings } from "./options.js";

/** The time until which something is kept that is kept until it is removed: the greatest whole number of JavaScript. */
export const never: number = Number.MAX_SAFE_INTEGER;

/** The machine's clock as SQLite reads it, in whole milliseconds since the epoch. */
const clock = "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)";

/**
 * The entries have a rowid: without one, values of more than a few hundred bytes would stand in the tree of the keys and
 * make every way through it long (5 to 9 times slower at 10 KB). The leases stand apart, so that to take one beside a
 * stale value does not write that value again.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS $entries (
    key TEXT NOT NULL PRIMARY KEY, bytes BLOB NOT NULL, expires INTEGER NOT NULL, fresh INTEGER NOT NULL,
    written INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX IF NOT EXISTS $expires ON $entries (expires);
  CREATE TABLE IF NOT EXISTS $leases (
    key TEXT NOT NULL PRIMARY KEY, token TEXT NOT NULL, until INTEGER NOT NULL
  ) WITHOUT ROWID;
`;

/** The index that a bound of the size needs. It has the rowid too, so the order of writing is read from it alone. */
const boundIndex = "CREATE INDEX IF NOT EXISTS $written ON $entries (written)";

/** The statements by name. Parameters are not numbered: better-sqlite3 takes no such ones. The one column of an answer is called `value`. */
const texts = {
  reading: "BEGIN",
  writing: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  now: "SELECT $clock AS value",

  read: "SELECT bytes AS value FROM $entries WHERE key = ? AND expires > ?",
  readOne: "SELECT bytes AS value FROM $entries WHERE key = ? AND expires > $clock",
  readFresh: "SELECT bytes AS value FROM $entries WHERE key = ? AND expires > ? AND fresh > ?",
  readRow: "SELECT bytes, expires FROM $entries WHERE key = ?",
  // The first versions of node:sqlite bind no bytes as NULL.
  write: `INSERT INTO $entries (key, bytes, expires, fresh, written) VALUES (?, coalesce(?, x''), ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes, expires = excluded.expires, fresh = excluded.fresh,
      written = excluded.written`,
  prolong: "UPDATE $entries SET expires = ?, written = ? WHERE key = ?",
  // Bytes that are fresh to their end are so to the new one.
  touch: `UPDATE $entries SET fresh = CASE WHEN fresh = expires THEN max(fresh, ?) ELSE fresh END, expires = max(expires, ?)
    WHERE key = ? AND expires > ?`,
  // Also what has expired: the clock may be set back.
  remove: "DELETE FROM $entries WHERE key = ? RETURNING expires > ? AS value",
  scan: `SELECT key AS value FROM (
      SELECT key FROM (SELECT key FROM $entries WHERE key >= ? AND expires > ? ORDER BY key LIMIT ?)
      UNION
      SELECT key FROM (SELECT key FROM $leases WHERE key >= ? AND until > ? ORDER BY key LIMIT ?)
    ) ORDER BY key LIMIT ?`,

  hasLeases: "SELECT EXISTS (SELECT 1 FROM $leases) AS value",
  lease: `INSERT INTO $leases (key, token, until) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET token = excluded.token, until = excluded.until WHERE until <= ?`,
  steal: `INSERT INTO $leases (key, token, until) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET token = excluded.token, until = excluded.until`,
  extend: "UPDATE $leases SET until = ? WHERE key = ? AND token = ?",
  useUp: "DELETE FROM $leases WHERE key = ? AND token = ?",
  endLease: "DELETE FROM $leases WHERE key = ?",

  expired: "SELECT rowid AS value FROM $entries WHERE expires <= ? ORDER BY expires LIMIT ?",
  sweep: "DELETE FROM $entries WHERE rowid = ?",
  sweepLeases: "DELETE FROM $leases WHERE until <= ?",
  findWritten: `SELECT written, rowid FROM $entries WHERE (written, rowid) < (?, ?)
    ORDER BY written DESC, rowid DESC LIMIT 1 OFFSET ?`,
  removeWritten: `DELETE FROM $entries WHERE rowid IN
    (SELECT rowid FROM $entries WHERE (written, rowid) <= (?, ?) ORDER BY written, rowid LIMIT ?)`,
  pages: "SELECT page_count AS value FROM pragma_page_count()",
  freePages: "SELECT freelist_count AS value FROM pragma_freelist_count()",
  pageSize: "SELECT page_size AS value FROM pragma_page_size()",
  journal: "SELECT journal_mode AS value FROM pragma_journal_mode()",
  version: "SELECT sqlite_version() AS value",
  count: "SELECT count(*) AS value FROM (SELECT 1 FROM $entries LIMIT ?)",
} as const;

type CommandName = keyof typeof texts;

/** The storage's statements, prepared on one handle. */
export type Commands = { readonly [name in CommandName]: Statement };

/** The columns of the two tables, by what the tables' names end with. */
const columns = { "": "key, bytes, expires, fresh, written", _leases: "key, token, until" } as const;

/** The columns of the entries before `maxSize` came. The table gets the new one. */
const columnsBefore = "key, bytes, expires, fresh";

/** The columns of a table or view, one row each; none where it is not there. */
const columnsOf = "SELECT name AS value FROM pragma_table_info(?) ORDER BY cid";

/**
 * Makes the tables where they are not there, and prepares what is asked of them.
 *
 * @throws StorageError `CACHEME_FOREIGN_DATA` if something else has the name of one
 */
export function prepare(database: Database, { table, maxSize }: TableSettings): Commands {
  const columnsIn = (name: string): string => database.prepare(columnsOf).values(name).join(", ");
  if (columnsIn(table) === columnsBefore) {
    database.exec(`ALTER TABLE "${table}" ADD COLUMN written INTEGER NOT NULL DEFAULT 0`);
  }
  for (const [suffix, expected] of Object.entries(columns)) {
    const found = columnsIn(`${table}${suffix}`);
    if (found !== "" && found !== expected) throw foreignTable(`${table}${suffix}`, found, expected);
  }
  const named = (sql: string): string =>
    sql
      .replaceAll("$entries", `"${table}"`)
      .replaceAll("$leases", `"${table}_leases"`)
      .replaceAll("$expires", `"${table}_expires"`)
      .replaceAll("$written", `"${table}_written"`)
      .replaceAll("$clock", clock);
  database.exec(named(tables));
  if (maxSize !== undefined) database.exec(named(boundIndex));
  const prepared = Object.entries(texts).map(([name, sql]) => [name, database.prepare(named(sql))]);
  // The object has the names of `texts`.
  return Object.fromEntries(prepared) as Commands;
}

function foreignTable(name: string, found: string, expected: string): StorageError {
  return new StorageError(
    "CACHEME_FOREIGN_DATA",
    `The database has a table ${JSON.stringify(name)} that is not the storage's: expected the columns ${expected}, ` +
      `found ${found.slice(0, 200)}. Give the storage another name by the option table.`,
  );
}
