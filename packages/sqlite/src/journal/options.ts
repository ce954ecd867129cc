import { type Duration, OptionTable, oneOf, tableOption, timer } from "cacheme/driver";
import type { DriverName } from "../database.js";
import { addressOf, pathsFor, type SqliteConnectionOptions, withoutSchema } from "../options.js";

/** The options of `sqliteJournal`. Everything has a default. */
export interface SqliteJournalOptions {
  /**
   * Which library is used. Default: `"node:sqlite"` where Node has it (from 22.13 on), else
   * `"better-sqlite3"`, which the program must have installed.
   */
  readonly driver?: DriverName | undefined;
  /** The table's name. Default: `"cacheme_journal"`. */
  readonly table?: string | undefined;
  /**
   * When a save is acknowledged. `"full"`: when it is on the disk, so that a crash of the machine
   * loses nothing. `"normal"`: when it is in the file, so that a crash of the process loses nothing,
   * and one of the machine may lose the last saves. Default: `"full"`.
   */
  readonly synchronous?: "full" | "normal" | undefined;
  /** The longest time to wait for the lock of another process. Default: 5 seconds. */
  readonly commandTimeout?: Duration | undefined;
}

/** Options that were checked. */
export interface JournalSettings {
  /** `sqlite:///path/to/file`. */
  readonly label: string;
  /** An absolute path or `:memory:`. */
  readonly file: string;
  readonly driver: DriverName | undefined;
  readonly table: string;
  readonly synchronous: "full" | "normal";
  readonly commandTimeout: number;
}

const where = "sqliteJournal()";

const optionTable = new OptionTable(where, {
  commandTimeout: { kind: timer, default: "5s" },
  driver: { kind: oneOf<DriverName>("node:sqlite", "better-sqlite3") },
  synchronous: { kind: oneOf<"full" | "normal">("full", "normal"), default: "full" },
  table: { kind: tableOption, default: "cacheme_journal" },
});

/** @throws ConfigurationError `CACHEME_INVALID_OPTION`, `CACHEME_INVALID_DURATION` */
export function journalSettings(
  target: string | SqliteConnectionOptions,
  options: SqliteJournalOptions,
): JournalSettings {
  const checked = optionTable.check(options);
  const file = pathsFor(where).of(target);
  return { ...checked, table: withoutSchema(checked.table, where), label: addressOf(file), file };
}
