import { StorageError } from "cacheme/driver";
import type { Database, Statement } from "../database.js";

/** The due time of a record that is claimed or set aside: the greatest whole number of JavaScript. */
export const never: number = Number.MAX_SAFE_INTEGER;

const columns = "key, node, bytes, version, attempts, due, token, until, reason, at";

/**
 * A record with a `reason` is a dead letter. One with a `token` is claimed. The index by `due` leads
 * to the records that wait, and the small one to the claims.
 */
const schema = `
  CREATE TABLE IF NOT EXISTS $journal (
    key TEXT NOT NULL PRIMARY KEY, node TEXT NOT NULL, bytes BLOB NOT NULL, version INTEGER NOT NULL,
    attempts INTEGER NOT NULL, due INTEGER NOT NULL, token TEXT, until INTEGER, reason TEXT, at INTEGER
  );
  CREATE INDEX IF NOT EXISTS $due ON $journal (due);
  CREATE INDEX IF NOT EXISTS $until ON $journal (until) WHERE token IS NOT NULL;
  CREATE INDEX IF NOT EXISTS $at ON $journal (at) WHERE reason IS NOT NULL;
`;

type CommandName =
  | "writing"
  | "commit"
  | "rollback"
  | "append"
  | "due"
  | "left"
  | "claim"
  | "extend"
  | "complete"
  | "free"
  | "retry"
  | "setAside"
  | "read"
  | "counts"
  | "deadLetters"
  | "requeue"
  | "drop";

/** The statements by name. */
const texts: Readonly<Record<CommandName, string>> = {
  writing: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  append: `INSERT INTO $journal (key, node, bytes, version, attempts, due) VALUES (?, ?, coalesce(?, x''), 1, 0, ?)
    ON CONFLICT (key) DO UPDATE SET node = excluded.node, bytes = excluded.bytes, version = version + 1,
      attempts = 0, due = min(due, excluded.due), reason = NULL, at = NULL`,
  due: `SELECT key, node, bytes, version, attempts FROM $journal
    WHERE due <= ? AND token IS NULL AND reason IS NULL AND (attempts = 0 OR due <= ?)
      AND node IN (SELECT value FROM json_each(?)) ORDER BY due LIMIT ?`,
  left: `SELECT key, node, bytes, version, attempts FROM $journal
    WHERE token IS NOT NULL AND until <= ? AND reason IS NULL AND node IN (SELECT value FROM json_each(?))
    ORDER BY until LIMIT ?`,
  claim: `UPDATE $journal SET token = ?, until = ?, due = ${never} WHERE key = ?`,
  extend: "UPDATE $journal SET until = ? WHERE key = ? AND token = ?",
  complete: "DELETE FROM $journal WHERE key = ? AND token = ? AND version = ?",
  free: "UPDATE $journal SET token = NULL, until = NULL WHERE key = ? AND token = ?",
  retry: `UPDATE $journal SET token = NULL, until = NULL, attempts = attempts + 1, due = ?
    WHERE key = ? AND token = ? AND version = ?`,
  setAside: `UPDATE $journal SET token = NULL, until = NULL, attempts = attempts + 1, due = ${never}, reason = ?, at = ?
    WHERE key = ? AND token = ? AND version = ?`,
  read: "SELECT bytes AS value FROM $journal WHERE key = ? AND reason IS NULL",
  counts: `SELECT node, sum(reason IS NULL) AS unsaved, sum(reason IS NOT NULL) AS dead FROM $journal
    GROUP BY node ORDER BY node`,
  deadLetters: `SELECT key, node, bytes, attempts, reason, at FROM $journal WHERE reason IS NOT NULL ORDER BY at LIMIT ?`,
  requeue: `UPDATE $journal SET reason = NULL, at = NULL, attempts = 0, due = ? WHERE key = ? AND reason IS NOT NULL`,
  drop: "DELETE FROM $journal WHERE key = ? AND reason IS NOT NULL",
};

/** The journal's statements, prepared on one handle. */
export type JournalCommands = { readonly [name in CommandName]: Statement };

/**
 * Makes the table if it is missing, and prepares the statements.
 *
 * @throws StorageError `CACHEME_FOREIGN_DATA` if another table has the name
 */
export function prepareJournal(database: Database, table: string): JournalCommands {
  const found = database
    .prepare("SELECT name AS value FROM pragma_table_info(?) ORDER BY cid")
    .values(table)
    .join(", ");
  if (found !== "" && found !== columns) {
    throw new StorageError(
      "CACHEME_FOREIGN_DATA",
      `The database has a table ${JSON.stringify(table)} that is not the journal's: expected the columns ${columns}, found ` +
        `${found.slice(0, 200)}. Give the journal another name by the option table.`,
    );
  }
  const named = (sql: string): string =>
    sql
      .replaceAll("$journal", `"${table}"`)
      .replaceAll("$due", `"${table}_due"`)
      .replaceAll("$until", `"${table}_until"`)
      .replaceAll("$at", `"${table}_at"`);
  database.exec(named(schema));
  const prepared = Object.entries(texts).map(([name, sql]) => [name, database.prepare(named(sql))]);
  return Object.fromEntries(prepared) as JournalCommands; // The object has the names of `texts`.
}
