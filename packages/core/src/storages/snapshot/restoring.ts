import { type FileHandle, open } from "node:fs/promises";
import type { BoundedCache } from "@cacheme/memory";
import { isFresh } from "../../entry/lifetime.js";
import { nextLocalSpace } from "../../shared-state.js";
import type { SnapshotReport } from "../../snapshot-report.js";
import type { SnapshotHost } from "../../storage/local-snapshot.js";
import type { LocalEntry } from "../../storage/local-storage.js";
import { setImmediate } from "../../timers.js";
import { longestTtl } from "../memory-storage.js";
import type { Changes } from "./changes.js";
import { frame, frameOf } from "./frames.js";
import type { Owners } from "./owners.js";
import { RestoredEntry } from "./restored-entry.js";
import { isOurs, readSaved, type SavedFile } from "./saved-file.js";
import { isMissing, type Seen, SnapshotTrouble, seenIn } from "./snapshot-disk.js";
import type { SnapshotSettings } from "./snapshot-options.js";

/** The entries that are restored before the event loop goes on. */
const slice = 200;

/** The milliseconds by which the clock of the last process may have been ahead. */
const clockTolerance = 60_000;

/** The result of a save or a restoration. */
export interface Outcome {
  readonly report: SnapshotReport;
  readonly seen: Seen;
}

/** Reads a file once, at the start. */
export class Restoring {
  readonly #cache: BoundedCache<string, LocalEntry>;
  readonly #owners: Owners;
  readonly #settings: SnapshotSettings;
  readonly #host: SnapshotHost;
  readonly #changes: Changes;

  constructor(
    cache: BoundedCache<string, LocalEntry>,
    owners: Owners,
    settings: SnapshotSettings,
    host: SnapshotHost,
    changes: Changes,
  ) {
    this.#cache = cache;
    this.#owners = owners;
    this.#settings = settings;
    this.#host = host;
    this.#changes = changes;
  }

  /** @throws SnapshotTrouble, or the error of the file system */
  async run(): Promise<Outcome> {
    const began = this.#host.clock.elapsed();
    const handle = await this.#open();
    try {
      const seen = seenIn(await handle.stat({ bigint: true }));
      const saved = await this.#read(handle, seen);
      const user = frameOf(frame.user);
      await handle.write(user, 0, user.length, seen.size);
      await handle.sync();
      const counts = await this.#restore(saved);
      this.#changes.attach(this.#settings.file, { ...seen, size: seen.size + user.length });
      const duration = this.#host.clock.elapsed() - began;
      return { report: { ...counts, bytes: seen.size, duration }, seen };
    } finally {
      await handle.close();
    }
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(this.#settings.file, "r+");
    } catch (error) {
      if (isMissing(error)) throw new SnapshotTrouble("missing", "There is no such file.");
      throw error;
    }
  }

  async #read(handle: FileHandle, seen: Seen): Promise<SavedFile> {
    const { maxBytes } = this.#settings;
    // The changes of a file are shorter than the rest of it.
    if (seen.size > 2 * maxBytes + frame.user) {
      const start = Buffer.alloc(64);
      await handle.read(start, 0, start.length, 0);
      throw new SnapshotTrouble(
        isOurs(start) ? "size" : "format",
        `It has ${seen.size} bytes, more than twice maxBytes.`,
        isOurs(start) ? seen : undefined,
      );
    }
    const bytes = Buffer.allocUnsafe(seen.size);
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
    throw new SnapshotTrouble(read.fault, what, isOurs(bytes) ? seen : undefined);
  }

  /** Restores the least valuable entries first, as many as the cache holds. */
  async #restore({
    owners,
    entries,
    isCurrent,
  }: SavedFile): Promise<Omit<SnapshotReport, "bytes" | "duration">> {
    const { clock, tags } = this.#host;
    const spaces = owners.map((id) => {
      const space = nextLocalSpace();
      this.#owners.reserve(id, space);
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
      if (saved.bytes !== undefined) this.#changes.add(space, saved.owner, saved.key, saved.tags);
      const now = clock.now();
      const isUsable = isFresh(saved, now) && saved.writtenAt <= now + clockTolerance;
      if (!isUsable || place >= this.#cache.maxSize) {
        counts.leftOut++;
        continue;
      }
      const generations = saved.tags.length === 0 ? undefined : tags.restored(saved.tags, saved.freshUntil);
      const ttl = saved.freshUntil === Number.POSITIVE_INFINITY ? saved.freshUntil : saved.freshUntil - now;
      const { frequency, segment, weight } = saved;
      const entry = new RestoredEntry(saved, generations);
      const options = { ttl: ttl > longestTtl ? Number.POSITIVE_INFINITY : ttl, weight };
      const isStored = this.#cache.restoreIn(space, saved.key, entry, { frequency, segment }, options);
      if (!isStored) counts.leftOut++;
      else if (saved.bytes === undefined) counts.keys++;
      else counts.entries++;
    }
    return counts;
  }
}
