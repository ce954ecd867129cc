import { type FileHandle, open } from "node:fs/promises";
import { isFresh } from "../../entry/lifetime.js";
import { nextLocalSpace } from "../../shared-state.js";
import type { SnapshotReport } from "../../snapshot-report.js";
import type { HeldGeneration } from "../../storage/local-storage.js";
import { setImmediate } from "../../timers.js";
import { longestTtl } from "../memory-storage.js";
import { frame, frameOf } from "./frames.js";
import { RestoredEntry } from "./restored-entry.js";
import { isOurs, readSaved, type SavedFile } from "./saved-file.js";
import { isMissing, type Seen, SnapshotTrouble, seenIn } from "./snapshot-disk.js";
import type { SnapshotParts } from "./snapshot-parts.js";

/** The entries that are restored before the event loop goes on. */
const slice = 200;

/** The milliseconds by which the clock of the last process may have been ahead. */
const clockTolerance = 60_000;

/** Says that a process uses the file. */
const userFrame = frameOf(frame.user);

/** The generations of an entry without tags. */
const none: readonly HeldGeneration[] = [];

/** The result of a save or a restoration. */
export interface Outcome {
  readonly report: SnapshotReport;
  readonly seen: Seen;
}

/** Reads a file once, at the start. */
export class Restoring {
  readonly #parts: SnapshotParts;
  /** The file that was there, if it may be replaced. */
  seen: Seen | undefined;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
  }

  /** @throws SnapshotTrouble, or the error of the file system */
  async run(): Promise<Outcome> {
    const began = this.#parts.host.clock.elapsed();
    const handle = await this.#open();
    try {
      const found = seenIn(await handle.stat({ bigint: true }));
      const taken = await this.#take(handle, found);
      const saved = await this.#read(handle, lengthToRead(found, taken));
      const counts = await this.#restore(saved);
      this.#parts.changes.attach(this.#parts.settings.file, taken);
      const duration = this.#parts.host.clock.elapsed() - began;
      return { report: { ...counts, bytes: found.size, duration }, seen: taken };
    } finally {
      await handle.close();
    }
  }

  /**
   * Takes the file from the process that has used it, which adds nothing to a file that has grown.
   * So the file is taken before it is read.
   *
   * @returns the file from now on
   * @throws SnapshotTrouble if it is too large
   */
  async #take(handle: FileHandle, found: Seen): Promise<Seen> {
    const start = Buffer.alloc(Math.min(64, found.size));
    await handle.read(start, 0, start.length, 0);
    if (isOurs(start)) this.seen = found;
    // The changes of a file are shorter than the rest of it.
    if (found.size > 2 * this.#parts.settings.maxBytes + userFrame.length)
      throw new SnapshotTrouble(
        isOurs(start) ? "size" : "format",
        `It has ${found.size} bytes, more than twice maxBytes.`,
      );
    if (found.size === 0 || !isOurs(start)) return found;
    let taken = found;
    try {
      await handle.write(userFrame, 0, userFrame.length, found.size);
      await handle.sync();
    } finally {
      taken = seenIn(await handle.stat({ bigint: true }));
      this.seen = taken;
    }
    return taken;
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(this.#parts.settings.file, "r+");
    } catch (error) {
      if (isMissing(error)) throw new SnapshotTrouble("missing", "There is no such file.");
      throw error;
    }
  }

  async #read(handle: FileHandle, size: number): Promise<SavedFile> {
    const bytes = Buffer.allocUnsafe(size);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    const read = await readSaved(bytes.subarray(0, length));
    if (!("fault" in read)) return read;
    const what =
      read.fault === "format" ? "It is not a snapshot of this version." : "It is torn or was changed.";
    throw new SnapshotTrouble(read.fault, what);
  }

  /** Restores the least valuable entries first, as many as the cache holds. */
  async #restore({
    owners,
    entries,
    isCurrent,
  }: SavedFile): Promise<Omit<SnapshotReport, "bytes" | "duration">> {
    const { clock, tags } = this.#parts.host;
    const spaces = owners.map((id) => {
      const space = nextLocalSpace();
      this.#parts.owners.reserve(id, space);
      return space;
    });
    const counts = { entries: 0, keys: 0, leftOut: 0 };
    for (let place = entries.length - 1; place >= 0; place--) {
      if (place % slice === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      const written = entries[place];
      const space = written && spaces[written.owner];
      if (written === undefined || space === undefined) continue;
      const saved = isCurrent(written) ? written : { ...written, bytes: undefined };
      // A value that is not restored now may be, from the same file, by the next process.
      if (saved.bytes !== undefined) this.#parts.changes.add(space, saved.owner, saved.key, saved.tags);
      const now = clock.now();
      const generations = saved.tags.length === 0 ? none : tags.restored(saved.tags, saved.freshUntil);
      if (generations === undefined) this.#parts.changes.changed(space, saved.key);
      const isUsable = isFresh(saved, now) && saved.writtenAt <= now + clockTolerance;
      if (generations === undefined || !isUsable || place >= this.#parts.cache.maxSize) {
        counts.leftOut++;
        continue;
      }
      const ttl = saved.freshUntil === Number.POSITIVE_INFINITY ? saved.freshUntil : saved.freshUntil - now;
      const { frequency, segment, weight } = saved;
      const entry = new RestoredEntry(saved, generations === none ? undefined : generations);
      const options = { ttl: ttl > longestTtl ? Number.POSITIVE_INFINITY : ttl, weight };
      const isStored = this.#parts.cache.restoreIn(space, saved.key, entry, { frequency, segment }, options);
      if (!isStored) counts.leftOut++;
      else if (saved.bytes === undefined) counts.keys++;
      else counts.entries++;
    }
    return counts;
  }
}

/** Returns the length of what was saved, and of what another process has added until it was taken. */
function lengthToRead(found: Seen, taken: Seen): number {
  return taken.size === found.size + userFrame.length ? found.size : taken.size;
}
