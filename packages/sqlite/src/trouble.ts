import { codeOf, isError } from "cacheme/driver";

/** The kind of an error, which decides what is done about it. */
export type Trouble =
  | "busy"
  | "corrupt"
  | "full"
  | "noTable"
  | "notOpened"
  | "readOnly"
  | "tooBig"
  | "unreadable"
  | "other";

/**
 * The primary result codes (sqlite.org/rescode.html) by number, as node:sqlite has them, and by name, as better-sqlite3 has
 * them, where extended codes go on with `_`.
 */
const codes: readonly (readonly [number: number, name: string, trouble: Trouble])[] = [
  [5, "BUSY", "busy"],
  [6, "LOCKED", "busy"],
  [8, "READONLY", "readOnly"],
  [10, "IOERR", "unreadable"],
  [11, "CORRUPT", "corrupt"],
  [13, "FULL", "full"],
  [14, "CANTOPEN", "notOpened"],
  [18, "TOOBIG", "tooBig"],
  [26, "NOTADB", "corrupt"],
];

/** The next step, for the person who gets the error. */
const advice: Readonly<Record<Trouble, string>> = {
  busy: "Another connection holds the lock of the file: look for a long transaction, or raise commandTimeout.",
  corrupt: "The file is not a sound database. Remove it, or give another one.",
  full: "Make room on the disk, or keep less for shorter.",
  noTable: "The table was removed; it is made again by connect().",
  notOpened: "Check that the file and its folder exist and may be written by this user.",
  other: "SQLite's own words say why.",
  readOnly:
    "Check that the file and its folder may be written by this user, and that the disk is not read-only.",
  tooBig: "Store less under one key: SQLite takes about 1 GB.",
  unreadable: "Check the disk and its free space, and that the file is not on a network file system.",
};

export function troubleOf(error: unknown, platform: NodeJS.Platform = process.platform): Trouble {
  if (!isError(error)) return "other";
  const code = codeOf(error);
  // Windows renames no file that another program has open. It may be a virus scanner, which is done in a moment.
  if (platform === "win32" && /^(?:EBUSY|EPERM|EACCES)$/.test(code)) return "busy";
  if (/^(?:EACCES|EPERM|EROFS|ENOTDIR|ELOOP)$/.test(code)) return "notOpened";
  if (code === "ENOSPC" || code === "EDQUOT") return "full";
  if (/^no such table\b/.test(error.message)) return "noTable";
  const number = "errcode" in error ? Number(error.errcode) & 0xff : undefined;
  const [, name] = /^SQLITE_([A-Z]+)/.exec(code) ?? [];
  // Deno's node:sqlite gives no number.
  if (number === undefined && name === undefined && error.message === "database is locked") return "busy";
  return codes.find((one) => one[0] === number || one[1] === name)?.[2] ?? "other";
}

export function adviceFor(error: Error): string {
  return advice[troubleOf(error)];
}

/** Whether there is no room for what was to be stored. */
export function isFull(error: unknown): boolean {
  return troubleOf(error) === "full";
}
