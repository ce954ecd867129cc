import { type FileHandle, open, rename, rm } from "node:fs/promises";
import type { RankedEntry } from "@cacheme/memory";
import { encodeEntry, pack } from "../../entry/entry-codec.js";
import type { SnapshotOwner } from "../../storage/local-snapshot.js";
import type { LocalEntry } from "../../storage/local-storage.js";
import { setImmediate } from "../../timers.js";
import { frame, frameOf, PayloadWriter } from "./frames.js";
import { isUsable, RestoredEntry } from "./restored-entry.js";
import type { Outcome } from "./restoring.js";
import { addEntry, end, header, isOurs } from "./saved-file.js";
import {
  isBetween,
  type Seen,
  SnapshotTrouble,
  seenAt,
  seenIn,
  syncFolder,
  writeAll,
} from "./snapshot-disk.js";
import type { SnapshotParts } from "./snapshot-parts.js";

/** The bounds of the work before the event loop goes on. */
const slice = { entries: 500, bytes: 256 * 1024, milliseconds: 4 };

/** Writes one file, from the first byte to the rename. */
export class Writing {
  readonly #parts: SnapshotParts;
  /** The numbers of the classes in the file, by space. */
  readonly #indices = new Map<number, number>();
  readonly #payload = new PayloadWriter();
  readonly #counts = { entries: 0, keys: 0, leftOut: 0 };
  #size = 0;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
  }

  /**
   * @param expected returns the file that must still be there before it is replaced
   * @param isLast whether no change can follow
   * @throws SnapshotTrouble, or the error of the file system. The older file stays then
   */
  async run(expected: () => Seen | undefined, isLast: boolean): Promise<Outcome> {
    const { file } = this.#parts.settings;
    const began = this.#parts.host.clock.elapsed();
    await checkReplaceable(file, expected);
    const temporary = `${file}.tmp`;
    const handle = await open(temporary, "w", 0o600);
    let isKept = false;
    try {
      await this.#write(handle, frameOf(frame.header, header()));
      await this.#writeEntries(handle);
      await this.#write(handle, frameOf(frame.end, end(isLast)));
      const written = seenIn(await handle.stat({ bigint: true }));
      this.#parts.changes.attach(temporary, written);
      await handle.sync();
      await checkReplaceable(file, expected);
      await rename(temporary, file);
      isKept = true;
      await syncFolder(file);
      const duration = this.#parts.host.clock.elapsed() - began;
      return { report: { ...this.#counts, bytes: written.size, duration }, seen: written };
    } finally {
      await handle.close();
      if (!isKept) await rm(temporary, { force: true });
    }
  }

  async #writeEntries(handle: FileHandle): Promise<void> {
    const { maxEntries, maxBytes } = this.#parts.settings;
    const { clock } = this.#parts.host;
    let began = clock.elapsed();
    let inSlice = 0;
    let looked = 0;
    for (const entry of this.#parts.cache.ranked()) {
      looked++;
      const { entries, keys } = this.#counts;
      if (entries + keys >= maxEntries || this.#size + this.#payload.length >= maxBytes) {
        this.#counts.leftOut += Math.max(this.#parts.cache.size - looked + 1, 0);
        break;
      }
      await this.#add(handle, entry);
      inSlice++;
      const isFull = inSlice >= slice.entries || this.#payload.length >= slice.bytes;
      if (!isFull && clock.elapsed() - began < slice.milliseconds) continue;
      await this.#flush(handle);
      await new Promise<void>((resolve) => setImmediate(resolve));
      began = clock.elapsed();
      inSlice = 0;
    }
    await this.#flush(handle);
  }

  async #add(handle: FileHandle, ranked: RankedEntry<string, LocalEntry>): Promise<void> {
    const { space, key, value: entry, weight, standing } = ranked;
    const id = this.#parts.owners.idOf(space);
    if (id === undefined) return; // Such as a cached error.
    if (!isUsable(entry, this.#parts.host.clock.now())) {
      this.#counts.leftOut++;
      return;
    }
    const bytes = this.#bytesOf(this.#parts.owners.of(space), key, entry);
    const room = this.#parts.settings.maxBytes - this.#size - this.#payload.length;
    if (bytes === uncarried || (bytes !== undefined && bytes.length > room)) {
      this.#counts.leftOut++;
      return;
    }
    const known = this.#indices.get(space);
    const index = known ?? this.#indices.size;
    const tags = [...new Set(entry.generations?.map(({ tag }) => tag))];
    const { writtenAt } = entry;
    // The next process drops it after its idle time, unless it is read. Its bytes have its ttl.
    const freshUntil = Math.min(entry.freshUntil, entry.idleUntil ?? entry.freshUntil);
    addEntry(this.#payload, index, { key, ...standing, writtenAt, freshUntil, weight, tags, bytes });
    if (bytes === undefined) this.#counts.keys++;
    else {
      this.#counts.entries++;
      this.#parts.changes.add(space, index, key, tags);
    }
    if (known !== undefined) return;
    this.#indices.set(space, index);
    await this.#write(handle, frameOf(frame.owner, Buffer.from(id)));
  }

  /** Returns the value's bytes; `undefined` for a value that nobody could prove after a restart. */
  #bytesOf(
    owner: SnapshotOwner | undefined,
    key: string,
    entry: LocalEntry,
  ): Uint8Array | undefined | typeof uncarried {
    if (owner !== undefined && !owner.isAlone) return undefined;
    if (entry instanceof RestoredEntry) return entry.bytes;
    if (owner === undefined) return uncarried;
    const { serializer, fingerprint } = owner.format;
    const storageKey = owner.storageKey(key);
    try {
      return encodeEntry(pack(serializer, entry.value, storageKey), fingerprint, storageKey, entry);
    } catch {
      return uncarried;
    }
  }

  async #flush(handle: FileHandle): Promise<void> {
    if (this.#payload.length === 0) return;
    await this.#write(handle, frameOf(frame.entries, this.#payload.take()));
  }

  async #write(handle: FileHandle, bytes: Uint8Array): Promise<void> {
    this.#size += bytes.length;
    await writeAll(handle, bytes);
  }
}

/** The result for a value that cannot be written. */
const uncarried = Symbol("uncarried");

/**
 * @param expected returns the file that this process read or wrote last. It may grow meanwhile
 * @throws SnapshotTrouble if another one is there
 */
async function checkReplaceable(file: string, expected: () => Seen | undefined): Promise<void> {
  const before = expected();
  const seen = await seenAt(file);
  if (isBetween(seen, before, expected())) return;
  if (seen !== undefined && before === undefined) {
    const handle = await open(file, "r");
    try {
      const start = Buffer.alloc(Math.min(64, seen.size));
      await handle.read(start, 0, start.length, 0);
      if (!isOurs(start))
        throw new SnapshotTrouble("format", "The file there is not a snapshot, so it is not replaced.");
    } finally {
      await handle.close();
    }
  }
  throw new SnapshotTrouble(
    "taken",
    "Another process uses the file now. Give each process a file of its own.",
  );
}
