import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type ConnectionOptions,
  connectionRows,
  type DriverSettings,
  LocalPaths,
  OptionTable,
  oneOf,
  optionError,
  optionKind,
  shown,
  type TableOptions,
  tableRows,
} from "cacheme/driver";
import type { BetterSqlite3Database, Database, DriverName, NodeSqliteDatabase } from "./database.js";
import { wrap } from "./database.js";

/** The place of the database. */
export interface SqliteConnectionOptions {
  /** A path, relative to the working directory or absolute, or `":memory:"` for a database of this storage alone. */
  readonly file: string;
}

/** A handle that the program has already: a `DatabaseSync` of `node:sqlite`, or a database of better-sqlite3. */
export type SqliteDatabase = NodeSqliteDatabase | BetterSqlite3Database;

/** A damaged file of the storage's own, which was set aside. */
export interface CorruptFile {
  /** Its old path, which a new file has now. */
  readonly file: string;
  /** Its new path, with its `-wal` and `-shm` beside it. It is kept until somebody removes it. */
  readonly movedTo: string;
  /** The error of SQLite. */
  readonly error: Error;
}

/** How the storage behaves. Everything has a default. */
export interface SqliteStorageOptions
  extends ConnectionOptions,
    Pick<TableOptions, "maxSize" | "sweepInterval"> {
  /**
   * Which library is used. Default: `"node:sqlite"` where Node has it (from 22.13 on), else `"better-sqlite3"`, which the
   * program must have installed.
   */
  readonly driver?: DriverName | undefined;
  /** The table's name. A second one, for leases, has `_leases` after it. Default `"cacheme"`. */
  readonly table?: string | undefined;
  /**
   * Called when a damaged file of the storage's own was set aside and a new, empty one was made in its place. Default: a process warning with
   * the code `CACHEME_CORRUPT_FILE`.
   */
  readonly onCorrupt?: Listener | undefined;
}

type Listener = (corrupt: CorruptFile) => void;

/** The storage's table, and the records that it may hold. */
export interface TableSettings {
  readonly table: string;
  readonly maxSize: number | undefined;
}

/** Options that were checked. The label is `sqlite:///path/to/file`. */
export interface Settings
  extends DriverSettings,
    TableSettings,
    Required<Pick<SqliteStorageOptions, "driver" | "onCorrupt">> {
  /** An absolute path or `:memory:`; `undefined` for a handle of the program's own. */
  readonly file: string | undefined;
  readonly own: Database | undefined;
}

/** The path of a database in memory, for SQLite and for the storage. */
export const inMemory = ":memory:";

const where = "sqlite()";

const optionTable = new OptionTable(where, {
  ...connectionRows,
  driver: { kind: oneOf<DriverName>("node:sqlite", "better-sqlite3") },
  onCorrupt: {
    kind: optionKind("a function", (value): value is Listener => typeof value === "function"),
  },
  maxSize: tableRows.maxSize,
  sweepInterval: tableRows.sweepInterval,
  table: tableRows.table,
});

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid file or option,
 *   `CACHEME_INVALID_DURATION` for an invalid time
 */
export function settings(
  target: string | SqliteConnectionOptions | SqliteDatabase,
  options: SqliteStorageOptions,
): Settings {
  const checked = optionTable.check(options);
  const common = { ...checked, table: withoutSchema(checked.table) };
  if (isDatabase(target)) {
    if (checked.driver !== undefined) {
      throw optionError(`${where} was given a database and the option driver. Leave one of them out.`);
    }
    const name = "name" in target ? target.name : "";
    return {
      ...common,
      label: isAbsolute(name) ? addressOf(name) : "sqlite:",
      file: undefined,
      own: wrap(target),
    };
  }
  const file = pathsFor(where).of(target);
  return { ...common, label: addressOf(file), file, own: undefined };
}

/**
 * Returns the reader of a file's place.
 *
 * @param where the function that takes the place
 */
export function pathsFor(where: string): LocalPaths {
  const paths: LocalPaths = new LocalPaths({
    where,
    option: "file",
    scheme: "sqlite",
    forms:
      'Give a path ("cache/data.db"), an address ("sqlite:///var/cache/data.db", "sqlite:relative.db", "sqlite::memory:"), ' +
      "{ file }, or a database of node:sqlite or better-sqlite3.",
    name: inMemory,
    fromAddress(address) {
      const found = address.slice("sqlite:".length).replace(/^\/\/\//, "/");
      if (found.startsWith("//"))
        throw paths.refused("an address with a host. A file has none: write three slashes");
      if (/[?#]/.test(found)) throw paths.withQuery();
      try {
        return decodeURIComponent(found);
      } catch {
        throw paths.refused('an address with a "%" that begins no character. Write "%25"');
      }
    },
  });
  return paths;
}

/** The address of a file, for messages. */
export function addressOf(file: string): string {
  return file === inMemory ? "sqlite::memory:" : pathToFileURL(file).href.replace(/^file:/, "sqlite:");
}

/** Schemas are attached databases, which a file that is opened here does not have. */
export function withoutSchema(parts: readonly string[], place: string = where): string {
  const [name = ""] = parts;
  if (parts.length === 1) return name;
  throw optionError(
    `The option table of ${place} is ${shown(parts.join("."))}. Give a name without a schema, such as "cacheme".`,
  );
}

function isDatabase(target: string | SqliteConnectionOptions | SqliteDatabase): target is SqliteDatabase {
  return typeof target === "object" && target !== null && "prepare" in target && "exec" in target;
}
