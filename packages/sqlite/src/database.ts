import { createRequire } from "node:module";
import { isError } from "cacheme/driver";

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
  /** The column `value` of all rows. */
  values(...parameters: readonly Value[]): readonly Value[];
  /** How many rows were changed. */
  run(...parameters: readonly Value[]): number;
}

type Row = Readonly<Record<string, Value>>;

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

interface BetterSqlite3Statement {
  /** Whether it answers rows: only such a statement can be plucked. */
  readonly reader: boolean;
  pluck(on: boolean): unknown;
  get(...parameters: readonly Value[]): unknown;
  all(...parameters: readonly Value[]): unknown[];
  run(...parameters: readonly Value[]): { readonly changes: number };
}

/** A library that opens files. */
export interface Driver {
  readonly name: DriverName;
  open(file: string): Database;
}

/** The library of this name, `undefined` where it is not to be had. */
export function findDriver(name: DriverName): Driver | undefined {
  return name === "node:sqlite" ? nodeSqlite() : betterSqlite3();
}

/** Wraps a handle that the program has already. */
export function wrap(database: NodeSqliteDatabase | BetterSqlite3Database): Database {
  return "pragma" in database ? new BetterSqlite3(database) : new NodeSqlite(database);
}

/** Node has it from 22.5 on behind a flag, from 22.13 on without. */
function nodeSqlite(): Driver | undefined {
  const found: unknown = process.getBuiltinModule("node:sqlite");
  if (found === undefined) return undefined;
  // The types of the oldest Node that is served do not have the module.
  const { DatabaseSync } = found as { DatabaseSync: new (file: string) => NodeSqliteDatabase };
  return { name: "node:sqlite", open: (file) => new NodeSqlite(new DatabaseSync(file)) };
}

/** An optional peer, and CommonJS with a native part: loaded when it is needed, and never bundled. */
function betterSqlite3(): Driver | undefined {
  const require = createRequire(import.meta.url);
  if (tooNew(require) !== undefined) return undefined;
  let found: unknown;
  try {
    found = require("better-sqlite3");
  } catch (error) {
    // If something that it needs is missing, its own words say what.
    if (isMissing(error)) return undefined;
    throw error;
  }
  // The package exports this class, and brings no types of its own.
  const Library = found as new (file: string, options: { timeout: number }) => BetterSqlite3Database;
  return {
    name: "better-sqlite3",
    open: (file) => new BetterSqlite3(new Library(file, { timeout: 0 })),
  };
}

/** Why {@link findDriver} finds no library of this name, and what to do. */
export function whyMissing(name: DriverName): string {
  if (name === "node:sqlite")
    return `this Node (${process.version}) has no node:sqlite, which comes with 22.13`;
  const version = tooNew(createRequire(import.meta.url));
  if (version !== undefined)
    return `better-sqlite3 ${version} needs Node 22, and this is ${process.version} (npm install better-sqlite3@12)`;
  const fitting = isOldNode ? "better-sqlite3@12" : "better-sqlite3";
  return `better-sqlite3 is not installed (npm install ${fitting})`;
}

const isOldNode = Number.parseInt(process.versions.node, 10) < 22;

/** The version of a better-sqlite3 that must not be loaded: on Node 20 version 13 ends the process by a segmentation fault. */
function tooNew(require: NodeJS.Require): string | undefined {
  if (!isOldNode) return undefined;
  try {
    const { version } = require("better-sqlite3/package.json") as { readonly version: string };
    return Number.parseInt(version, 10) >= 13 ? version : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return isError(error) && /^Cannot find module 'better-sqlite3/.test(error.message);
}

class NodeSqlite implements Database {
  readonly driver = "node:sqlite";
  readonly #database: NodeSqliteDatabase;

  constructor(database: NodeSqliteDatabase) {
    this.#database = database;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  prepare(sql: string): Statement {
    const statement = this.#database.prepare(sql);
    // A row is an object of its columns, and holds nothing but values.
    const row = (parameters: readonly Value[]): Row | undefined =>
      statement.get(...parameters) as Row | undefined;
    return {
      value: (...parameters) => row(parameters)?.["value"],
      row: (...parameters) => row(parameters),
      values: (...parameters) =>
        (statement.all(...parameters) as { value: Value }[]).map(({ value }) => value),
      run: (...parameters) => Number(statement.run(...parameters).changes),
    };
  }

  close(): void {
    this.#database.close();
  }
}

class BetterSqlite3 implements Database {
  readonly driver = "better-sqlite3";
  readonly #database: BetterSqlite3Database;

  constructor(database: BetterSqlite3Database) {
    this.#database = database;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Plucking, which spares an object a row, is a mode of the statement; each of ours is used in one way. */
  prepare(sql: string): Statement {
    const statement = this.#database.prepare(sql);
    if (statement.reader) statement.pluck(/\bAS value\b/.test(sql));
    // With one column called value, what comes is that column; else it is a row.
    return {
      value: (...parameters) => statement.get(...parameters) as Value | undefined,
      row: (...parameters) => statement.get(...parameters) as Row | undefined,
      values: (...parameters) => statement.all(...parameters) as Value[],
      run: (...parameters) => statement.run(...parameters).changes,
    };
  }

  close(): void {
    this.#database.close();
  }
}

/** Closes a handle that is of no more use. Its error was reported already. */
export function closeQuietly(handle: { close(): void }): void {
  try {
    handle.close();
  } catch {
    // A corrupt database may not even be closed properly.
  }
}
