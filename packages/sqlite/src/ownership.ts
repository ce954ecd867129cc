import { lstatSync, statSync } from "node:fs";
import { StorageError } from "cacheme/driver";
import { closeQuietly, type Database, type Driver, pragma } from "./database.js";
import { addressOf } from "./options.js";
import { troubleOf } from "./trouble.js";

/** `CaMe`, in the header of every file that the storage has made (`PRAGMA application_id`). */
export const applicationId = 0x43_61_4d_65;

/** The end of the name of a storage's second table, behind the name of the first one. */
const leasesSuffix = "_leases";

/** Other programs' tables that an error shows. */
const shownTables = 5;

const tables = String.raw`SELECT name AS value FROM sqlite_master
  WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' LIMIT 1000`;

/**
 * Makes sure that a file that is damaged is the storage's own, before it is moved: it has SQLite's header, the storage's
 * application id in it, and no tables but those of storages, as far as its schema can still be read.
 *
 * @throws StorageError `CACHEME_FOREIGN_DATA`, which says what was found
 */
export function requireOwnFile(driver: Driver, file: string, cause: Error): void {
  const found = foreignIn(driver, file);
  if (found === undefined) return;
  throw new StorageError(
    "CACHEME_FOREIGN_DATA",
    `${addressOf(file)} cannot be used: ${found}. The storage leaves the file as it is, since it may not be a cache. ` +
      "Give another file; or remove this one, if nobody needs it.",
    { cause },
  );
}

/**
 * Makes sure that the file which serves as a lock holds nothing.
 *
 * @throws StorageError `CACHEME_FOREIGN_DATA`
 */
export function requireEmptyLock(file: string): void {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined || (found.isFile() && found.size === 0)) return;
  const what = found.isFile() ? `a file of ${found.size.toLocaleString("en")} bytes` : "no plain file";
  throw new StorageError(
    "CACHEME_FOREIGN_DATA",
    `${addressOf(file)} is not a lock of this storage: expected an empty file, found ${what}. Give the database ` +
      "another name; or remove the file, if nobody needs it.",
  );
}

/** Says why a file is not the storage's own, `undefined` if it is. */
function foreignIn(driver: Driver, file: string): string | undefined {
  let database: Database | undefined;
  try {
    database = driver.open(file);
    // Needs the first page alone. A function of this name would need the schema, too.
    const id = pragma(database, "application_id");
    if (id !== applicationId) {
      const shown = id === 0 ? "none" : `0x${(id >>> 0).toString(16)}`;
      return `it is a damaged SQLite database of another program (expected application_id 0x${applicationId.toString(16)}, found ${shown})`;
    }
    const others = foreignTables(database);
    return others.length === 0
      ? undefined
      : `it is a damaged SQLite database with tables of another program (${others.join(", ")})`;
  } catch (error) {
    if (troubleOf(error) !== "corrupt") throw error;
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    return `expected a SQLite database, found a file of ${size.toLocaleString("en")} bytes without the header of one`;
  } finally {
    if (database !== undefined) closeQuietly(database);
  }
}

/** Tables that are not one of a storage's pair. A schema that cannot be read has none. */
function foreignTables(database: Database): readonly string[] {
  let all: ReadonlySet<string>;
  try {
    all = new Set(database.prepare(tables).values().map(String));
  } catch {
    return [];
  }
  const isOwn = (name: string): boolean =>
    all.has(`${name}${leasesSuffix}`) ||
    (name.endsWith(leasesSuffix) && all.has(name.slice(0, -leasesSuffix.length)));
  return [...all].filter((name) => !isOwn(name)).slice(0, shownTables);
}
