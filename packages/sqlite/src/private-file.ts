import { randomBytes } from "node:crypto";
import { closeSync, linkSync, lstatSync, openSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { codeOf } from "cacheme/driver";

/**
 * Makes an empty file that only this user may read, where there is none: SQLite would make it readable for all. SQLite
 * gives `-wal`, `-shm` and `-journal` the permissions of their database.
 *
 * The file is made under another name, because closing a file ends the locks that the whole process has on it (fcntl(2)):
 * a thread that finds the file at once may have some.
 */
export function makePrivate(file: string): void {
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) return;
  const made = `${file}-${process.pid}-${randomBytes(8).toString("hex")}`;
  closeSync(openSync(made, "wx", 0o600));
  try {
    linkSync(made, file);
  } catch (error) {
    const code = codeOf(error);
    // Somebody else has made it; or the file system has no hard links, and the narrow case above is left open.
    if (code !== "EEXIST") closeSync(openSync(file, "a", 0o600));
  } finally {
    rmSync(made, { force: true });
  }
}

/** The file that a path leads to, also where a symbolic link leads to a file that is not there yet. */
export function realFile(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  try {
    return realFile(resolve(dirname(path), readlinkSync(path)));
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "EINVAL") return path;
    throw error;
  }
}
