import type { BigIntStats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf } from "../../driver/error-code.js";
import type { SnapshotFault } from "../../snapshot-report.js";

/** Identifies a file and its length, to notice that another process has replaced or changed it. */
export interface Seen {
  readonly inode: bigint;
  readonly size: number;
}

/** A snapshot cannot be read or saved. */
export class SnapshotTrouble extends Error {
  readonly fault: SnapshotFault;

  constructor(fault: SnapshotFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/**
 * Returns the file at a path; `undefined` if there is none.
 *
 * @throws SnapshotTrouble `format` for a device, a pipe or a folder
 */
export async function seenAt(path: string): Promise<Seen | undefined> {
  try {
    return seenIn(await stat(path, { bigint: true }));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** @throws SnapshotTrouble `format` for a device, a pipe or a folder */
export function seenIn(stats: BigIntStats): Seen {
  if (!stats.isFile())
    throw new SnapshotTrouble("format", "It is not a regular file, so it is not replaced.");
  return { inode: stats.ino, size: Number(stats.size) };
}

/** Returns whether a file is the one that was known, with a length that it has had meanwhile. */
export function isBetween(
  seen: Seen | undefined,
  before: Seen | undefined,
  after: Seen | undefined,
): boolean {
  if (seen === undefined || before === undefined || after === undefined) return seen === before;
  const sizes = [before.size, after.size];
  return seen.inode === before.inode && seen.size >= Math.min(...sizes) && seen.size <= Math.max(...sizes);
}

export function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}

/** Writes the whole of the bytes. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written);
    written += bytesWritten;
  }
}

/** Makes a rename in the folder of a file last. Not every system can. */
export async function syncFolder(file: string): Promise<void> {
  try {
    const folder = await open(dirname(file), "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // The file is written. After a power failure the older one may be there.
  }
}
