import { type Duration, flag, type OptionKind, OptionTable, quotedName, tableRows } from "cacheme/driver";
import {
  type PostgresConnectionOptions,
  type Settings as StorageSettings,
  settings as storageSettings,
} from "../options.js";
import type { PostgresPool } from "../pool.js";

/** The options of `postgresJournal`. Everything has a default. */
export interface PostgresJournalOptions {
  /** The table's name, also with its schema. Default: `"cacheme_journal"`. */
  readonly table?: string | undefined;
  /**
   * Whether the journal creates the table if it is missing. Give `false` for a database user that
   * may not, and create the table with the statements of `postgresJournalTable()`. Default: `true`.
   */
  readonly createTable?: boolean | undefined;
  /** The longest time of a call. Default: 5 seconds. */
  readonly commandTimeout?: Duration | undefined;
}

/** Options that were checked. */
export interface JournalSettings extends StorageSettings {
  readonly createTable: boolean;
}

const tableOption: OptionKind<readonly string[]> = tableRows.table.kind;

const optionTable = new OptionTable("postgresJournal()", {
  commandTimeout: { ...tableRows.commandTimeout, default: "5s" },
  createTable: { kind: flag, default: true },
  table: { kind: tableOption, default: "cacheme_journal" },
});

/** @throws ConfigurationError `CACHEME_INVALID_OPTION`, `CACHEME_INVALID_DURATION` */
export function journalSettings(
  target: string | PostgresConnectionOptions | PostgresPool,
  options: PostgresJournalOptions,
): JournalSettings {
  const { commandTimeout, createTable, table } = optionTable.check(options);
  const connection = storageSettings(target, { prepare: false });
  return {
    ...connection,
    commandTimeout,
    createTable,
    table: quotedName(table, '"'),
    tableName: table.join("."),
  };
}
