import { renameSync, statSync } from "node:fs";
import { codeOf } from "cacheme/driver";
import type { Driver } from "./database.js";
import { requireEmptyLock } from "./ownership.js";
import { makePrivate } from "./private-file.js";

/** Returns the identity of a file whatever its name is, its number in its file system; `undefined` if there is no file. */
export function identity(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}

/**
 * Gives a corrupt database another name, with the files that SQLite keeps beside it, so that somebody can look at it. The
 * names go together: SQLite finds the log of `X` as `X-wal`.
 *
 * @returns the new name
 */
export function setAside(file: string): string {
  const stamp = new Date().toISOString().replace(/[-:]/g, "");
  const aside = `${file}.corrupt-${stamp}-${process.pid}`;
  for (const part of ["", "-wal", "-shm"]) {
    try {
      renameSync(`${file}${part}`, `${aside}${part}`);
    } catch (error) {
      // Another process' handle may have been the last one, which removes them; the file itself must have moved.
      if (part === "" || codeOf(error) !== "ENOENT") throw error;
    }
  }
  return aside;
}

/**
 * Does something while no other process opens the file or sets it aside: one that opened it between two of the renames
 * above would take the old file's log for that of the new one. The lock is SQLite's own, on an empty database beside the
 * file, so that the system ends it with the process that holds it.
 *
 * @throws the error of SQLite where another process holds it just now, or it cannot be made
 * @throws StorageError `CACHEME_FOREIGN_DATA` if something else has the lock's name
 */
export function alone<T>(driver: Driver, file: string, act: () => T): T {
  const name = `${file}-lock`;
  requireEmptyLock(name);
  makePrivate(name);
  const lock = driver.open(name);
  try {
    lock.exec("PRAGMA busy_timeout = 0");
    lock.exec("BEGIN EXCLUSIVE");
    return act();
  } finally {
    lock.close();
  }
}
