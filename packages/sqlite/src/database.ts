import { createRequire } from "node:module";
import { isError, StorageError } from "cacheme/driver";

/** A column's value, as both libraries take and return it. Whole numbers stay below 2^53. */
export type Value = string | number | Uint8Array | null;

/** A database handle: what the storage needs of `node:sqlite` and of better-sqlite3, spelled once. */
export interface Database {
  readonly driver: DriverName;
  /** Runs statements that answer nothing. */
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

/** A prepared statement. Every query of ours that has one column calls it `value`. */
export interface Statement {
  /** The column `value` of the first row, `undefined` where there is no row. */
  value(...parameters: readonly Value[]): Value | undefined;
  row(...parameters: readonly Value[]): Row | undefined;
  /** All rows of an answer with several columns. */
  rows(...parameters: readonly Value[]): readonly Row[];
  /** The column `value` of all rows. */
  values(...parameters: readonly Value[]): readonly Value[];
  /** How many rows were changed. */
  run(...parameters: readonly Value[]): number;
}

export type Row = Readonly<Record<string, Value>>;

/** The libraries that the storage can stand on. */
export type DriverName = "node:sqlite" | "better-sqlite3";

/** A handle of `node:sqlite`, as far as it is used here: a `DatabaseSync`. */
export interface NodeSqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): NodeSqliteStatement;
  close(): void;
}

interface NodeSqliteStatement {
  get(...parameters: readonly Value[]): unknown;
  all(...parameters: readonly Value[]): unknown[];
  run(...parameters: readonly Value[]): { readonly changes: number | bigint };
}

/** A handle of better-sqlite3, as far as it is used here. */
export interface BetterSqlite3Database {
  readonly name: string;
  exec(sql: string): unknown;
  prepare(sql: string): BetterSqlite3Statement;
  pragma(source: string): unknown;
  close(): unknown;
}

interface BetterSqlite3Statement extends NodeSqliteStatement {
  /** Whether it answers rows: only such a statement can be plucked. */
  readonly reader: boolean;
  pluck(on: boolean): unknown;
}

/** A library that opens files. */
export interface Driver {
  readonly name: DriverName;
  open(file: string): Database;
}

/** Wraps a handle that the program has already. */
export function wrap(database: NodeSqliteDatabase | BetterSqlite3Database): Database {
  const isBetter = "pragma" in database;
  return {
    driver: isBetter ? "better-sqlite3" : "node:sqlite",
    exec: (sql) => void database.exec(sql),
    prepare: (sql) =>
      isBetter ? plucked(database.prepare(sql), sql) : prepared(database.prepare(sql), valueOfRow),
    close: () => void database.close(),
  };
}

/** @param valueIn returns the column `value` of an answered row */
function prepared(statement: NodeSqliteStatement, valueIn: (row: unknown) => Value | undefined): Statement {
  return {
    value: (...parameters) => valueIn(statement.get(...parameters)),
    row: (...parameters) => statement.get(...parameters) as Row | undefined,
    rows: (...parameters) => statement.all(...parameters) as Row[],
    values: (...parameters) => statement.all(...parameters).map(valueIn) as Value[],
    run: (...parameters) => Number(statement.run(...parameters).changes),
  };
}

/** A row of `node:sqlite` is an object of its columns, and holds nothing but values. */
function valueOfRow(row: unknown): Value | undefined {
  return (row as Row | undefined)?.["value"];
}

/**
 * A statement of better-sqlite3. Plucking, which spares an object a row, is a mode of the statement; each of ours is used in
 * one way. With one column called value, what comes is that column; else it is a row.
 */
function plucked(statement: BetterSqlite3Statement, sql: string): Statement {
  if (statement.reader) statement.pluck(/\bAS value\b/.test(sql));
  return prepared(statement, (value) => value as Value | undefined);
}

/**
 * Loads the library of a storage: the one that the option names, else the first one that is there.
 *
 * @throws StorageError `CACHEME_CONNECT_FAILED`, which says why there is none, and what to do
 */
export function driverFor({ driver, label }: { driver: DriverName | undefined; label: string }): Driver {
  const names: readonly DriverName[] = driver === undefined ? ["node:sqlite", "better-sqlite3"] : [driver];
  const reasons: string[] = [];
  for (const name of names) {
    const found = name === "node:sqlite" ? nodeSqlite() : betterSqlite3();
    if (typeof found !== "string") return found;
    reasons.push(found);
  }
  throw new StorageError("CACHEME_CONNECT_FAILED", `${label} cannot be opened: ${reasons.join(", and ")}.`);
}

/** Returns the library, or why it is missing. Node has it from 22.5 on behind a flag, from 22.13 on without. */
function nodeSqlite(): Driver | string {
  const found: unknown = process.getBuiltinModule("node:sqlite");
  if (found === undefined) return `this Node (${process.version}) has no node:sqlite, which comes with 22.13`;
  // The types of the oldest Node that is served do not have the module.
  const { DatabaseSync } = found as { DatabaseSync: new (file: string) => NodeSqliteDatabase };
  return { name: "node:sqlite", open: (file) => wrap(new DatabaseSync(file)) };
}

/**
 * Returns the library, or why it is missing. It is an optional peer, and CommonJS with a native part: loaded when it is
 * needed, and never bundled. Version 13 must not be loaded on Node 20, where it ends the process by a segmentation fault.
 */
function betterSqlite3(): Driver | string {
  const require = createRequire(import.meta.url);
  const isOldNode = Number.parseInt(process.versions.node, 10) < 22;
  try {
    if (isOldNode) {
      const { version } = require("better-sqlite3/package.json") as { readonly version: string };
      if (Number.parseInt(version, 10) >= 13)
        return `better-sqlite3 ${version} needs Node 22, and this is ${process.version} (npm install better-sqlite3@12)`;
    }
    // The package exports this class, and brings no types of its own.
    const Library = require("better-sqlite3") as BetterSqlite3Class;
    return { name: "better-sqlite3", open: (file) => wrap(new Library(file, { timeout: 0 })) };
  } catch (error) {
    // If something that it needs is missing, its own words say what.
    if (!(isError(error) && /^Cannot find module 'better-sqlite3/.test(error.message))) throw error;
    return `better-sqlite3 is not installed (npm install better-sqlite3${isOldNode ? "@12" : ""})`;
  }
}

type BetterSqlite3Class = new (file: string, options: { timeout: number }) => BetterSqlite3Database;

/** Reads a setting of a database that is a number. */
export function pragma(database: Database, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).row()?.[name]);
}

/** Closes a handle that is of no more use. Its error was reported already. */
export function closeQuietly(handle: { close(): void }): void {
  try {
    handle.close();
  } catch {
    // A corrupt database may not even be closed properly.
  }
}
