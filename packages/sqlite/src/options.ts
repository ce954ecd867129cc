import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type ConnectionOptions,
  type ConnectionSettings,
  connectionRows,
  OptionTable,
  oneOf,
  optionError,
  optionKind,
  refuseUnknownOptions,
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
  readonly onCorrupt?: ((corrupt: CorruptFile) => void) | undefined;
}

/** The storage's table, and the records that it may hold. */
export interface TableSettings {
  readonly table: string;
  readonly maxSize: number | undefined;
}

/** Options that were checked. */
export interface Settings extends ConnectionSettings, TableSettings {
  /** `sqlite:///path/to/file`. */
  readonly label: string;
  /** An absolute path or `:memory:`; `undefined` for a handle of the program's own. */
  readonly file: string | undefined;
  readonly own: Database | undefined;
  readonly driver: DriverName | undefined;
  readonly sweepInterval: number;
  readonly onCorrupt: ((corrupt: CorruptFile) => void) | undefined;
}

/** The path of a database that stands in memory, for SQLite and for us. */
export const inMemory = ":memory:";

const where = "sqlite()";

const optionTable = new OptionTable(where, {
  ...connectionRows,
  driver: { kind: oneOf<DriverName>("node:sqlite", "better-sqlite3") },
  onCorrupt: { kind: optionKind("a function", isListener) },
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
      label: isAbsolute(name) ? label(name) : "sqlite:",
      file: undefined,
      own: wrap(target),
    };
  }
  const file = typeof target === "string" ? fromText(target) : fromOptions(target);
  return { ...common, label: label(file), file, own: undefined };
}

function fromOptions(options: SqliteConnectionOptions): string {
  if (typeof options !== "object" || options === null) {
    throw optionError(`${where} was given ${shown(options)}. ${forms}`);
  }
  refuseUnknownOptions(options, ["file"], where);
  const { file } = options;
  if (typeof file === "string") return path(file);
  throw optionError(`The connection option file of ${where} is ${shown(file)}. Give a path, or ":memory:".`);
}

/** A path is a path; only what begins like a URL is one. */
function fromText(text: string): string {
  const [, scheme, rest = ""] = /^([a-z][a-z0-9+.-]+):(.*)$/is.exec(text) ?? [];
  if (scheme === undefined) return path(text);
  if (scheme.toLowerCase() !== "sqlite")
    throw optionError(`${where} was given an address of another kind. ${forms}`);
  const found = rest.startsWith("///") ? rest.slice(2) : rest;
  if (found.startsWith("//")) {
    throw optionError(
      `${where} was given an address with a host. A file has none: write three slashes. ${forms}`,
    );
  }
  if (/[?#]/.test(found)) {
    throw optionError(
      `${where} was given an address with "?" or "#" in it. Write "%3F" and "%23", or give a path. ${forms}`,
    );
  }
  return path(decoded(found));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw optionError(
      `${where} was given an address with a "%" that begins no character. Write "%25". ${forms}`,
    );
  }
}

function path(file: string): string {
  if (file === inMemory) return file;
  if (file === "" || file.includes("\0"))
    throw optionError(`${where} was given ${shown(file)} as a file. ${forms}`);
  return resolve(file);
}

const forms =
  'Give a path ("cache/data.db"), an address ("sqlite:///var/cache/data.db", "sqlite:relative.db", "sqlite::memory:"), ' +
  "{ file }, or a database of node:sqlite or better-sqlite3.";

function label(file: string): string {
  return file === inMemory ? "sqlite::memory:" : pathToFileURL(file).href.replace(/^file:/, "sqlite:");
}

/** Schemas are attached databases, which a file that is opened here does not have. */
function withoutSchema(parts: readonly string[]): string {
  const [name = ""] = parts;
  if (parts.length === 1) return name;
  throw optionError(
    `The option table of ${where} is ${shown(parts.join("."))}. Give a name without a schema, such as "cacheme".`,
  );
}

function isListener(value: unknown): value is (corrupt: CorruptFile) => void {
  return typeof value === "function";
}

function isDatabase(target: string | SqliteConnectionOptions | SqliteDatabase): target is SqliteDatabase {
  return typeof target === "object" && target !== null && "prepare" in target && "exec" in target;
}
