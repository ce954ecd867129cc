import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectedForTest } from "@cacheme/test-services/disk/storage-helpers";
import type { RemoteStorage } from "cacheme/driver";
import { onTestFinished } from "vitest";
import { type Database, type Driver, driverFor } from "../src/database.js";
import type {
  BetterSqlite3Database,
  NodeSqliteDatabase,
  SqliteConnectionOptions,
  SqliteDatabase,
  SqliteStorageOptions,
} from "../src/index.js";
import { sqlite } from "../src/index.js";
import { Session } from "../src/session.js";

/** A path in a folder of the test's own. */
export function place(name = "cache.db"): string {
  const folder = mkdtempSync(join(tmpdir(), "cacheme-sqlite-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, name);
}

/** A handle on a file beside the storage's. */
export function handle(file: string): Database {
  const database = library().open(file);
  onTestFinished(() => database.close());
  return database;
}

/** A session on a file beside the storage's. */
export function session(file: string): Session {
  const opened = Session.open(library(), file, { table: "cacheme", maxSize: undefined });
  onTestFinished(() => opened.close());
  return opened;
}

function library(): Driver {
  return driverFor({ driver: undefined, label: "a test" });
}

/** A storage that is connected, and closed after the test. */
export async function connected(
  target: string | SqliteConnectionOptions | SqliteDatabase,
  options: SqliteStorageOptions = {},
): Promise<RemoteStorage> {
  return connectedForTest(sqlite(target, options));
}

/** A handle as a program has it that uses the library itself. */
export function handleOfLibrary(file: string): NodeSqliteDatabase | BetterSqlite3Database {
  const builtIn: unknown = process.getBuiltinModule("node:sqlite");
  const require = createRequire(import.meta.url);
  const Library = (
    builtIn === undefined ? require("better-sqlite3") : (builtIn as { DatabaseSync: unknown }).DatabaseSync
  ) as new (
    file: string,
  ) => NodeSqliteDatabase | BetterSqlite3Database;
  const database = new Library(file);
  onTestFinished(() => void database.close());
  return database;
}
