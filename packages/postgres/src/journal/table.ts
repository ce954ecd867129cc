import { quotedName, tableName } from "cacheme/driver";

/** The options of {@link postgresJournalTable}. */
export interface PostgresJournalTableOptions {
  /** The table's name, also with its schema. Default: `"cacheme_journal"`. */
  readonly table?: string | undefined;
}

/**
 * Returns the statements that create the table of `postgresJournal()`, for a migration.
 *
 * A record with a `reason` is a dead letter. One with a `token` is claimed.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid name
 */
export function postgresJournalTable({
  table = "cacheme_journal",
}: PostgresJournalTableOptions = {}): string {
  const parts = tableName(table, "postgresJournalTable()");
  const name = quotedName(parts, '"');
  const index = (column: string) => quotedName([`${(parts.at(-1) ?? "").slice(0, 55)}_${column}`], '"');
  return `CREATE TABLE IF NOT EXISTS ${name} (
  key text PRIMARY KEY,
  long_key text,
  node text NOT NULL,
  bytes bytea NOT NULL,
  version bigint NOT NULL,
  attempts integer NOT NULL,
  due timestamptz NOT NULL,
  token text,
  until timestamptz,
  reason text,
  at timestamptz
);
CREATE INDEX IF NOT EXISTS ${index("due")} ON ${name} (due) WHERE token IS NULL AND reason IS NULL;
CREATE INDEX IF NOT EXISTS ${index("until")} ON ${name} (until) WHERE token IS NOT NULL;
CREATE INDEX IF NOT EXISTS ${index("at")} ON ${name} (at) WHERE reason IS NOT NULL;
`;
}
