import { decodeEntry } from "../../entry/entry-codec.js";
import type { SnapshotReport } from "../../snapshot-report.js";
import type { LocalEntry, LocalRecord } from "../../storage/local-storage.js";
import { EntryCopies } from "../entry-copies.js";
import type { MemoryOptions } from "../memory-options.js";
import { beforeEveryEnd, heldEntry, longestTtl, MemoryStorage } from "../memory-storage.js";
import { isUsable, RestoredEntry } from "./restored-entry.js";
import type { SavingStorage } from "./saving-storage.js";
import { Snapshot } from "./snapshot.js";
import { type SnapshotOptions, snapshotSettings } from "./snapshot-options.js";

/**
 * Keeps its entries from one start to the next. It is a class of its own so that other storages do
 * not check for restored entries, and tell nobody of their writes.
 */
export class SavingMemoryStorage extends MemoryStorage implements SavingStorage {
  readonly snapshot: Snapshot;

  constructor(options: MemoryOptions, snapshot: string | SnapshotOptions) {
    const settings = snapshotSettings(snapshot);
    super(options);
    this.snapshot = new Snapshot(this.cache, settings);
  }

  saveSnapshot(): Promise<SnapshotReport> {
    return this.snapshot.save();
  }

  override read(space: number, key: string): LocalEntry | undefined {
    return this.#shown(space, key, this.cache.heldIn(space, key));
  }

  override peek(space: number, key: string): LocalEntry | undefined {
    return this.#shown(space, key, this.cache.peekIn(space, key, beforeEveryEnd));
  }

  override write(space: number, key: string, cached: LocalRecord, now: number): void {
    this.snapshot.changed(space, key);
    super.write(space, key, cached, now);
  }

  override remove(space: number, key: string): boolean {
    this.snapshot.changed(space, key);
    return super.remove(space, key);
  }

  override clear(space: number): void {
    this.snapshot.cleared(space);
    super.clear(space);
  }

  override removeWhere(space: number, accepts: (key: string) => boolean): number {
    this.snapshot.changedWhere(space, accepts);
    return super.removeWhere(space, accepts);
  }

  #shown(space: number, key: string, entry: LocalEntry | undefined): LocalEntry | undefined {
    return entry instanceof RestoredEntry ? this.#opened(space, key, entry) : entry;
  }

  /** Decodes a restored entry at its first read. One that cannot be proven is a miss. */
  #opened(space: number, key: string, restored: RestoredEntry): LocalEntry | undefined {
    const { bytes, generations, freshUntil, weight } = restored;
    const owner = this.snapshot.ownerOf(space);
    if (bytes === undefined || owner?.isAlone !== true) return undefined;
    const now = this.snapshot.now();
    if (!isUsable(restored, now)) return undefined;
    const { serializer, fingerprint } = owner.formatOf(bytes);
    const decoded = decodeEntry(serializer, fingerprint, owner.storageKey(key), bytes);
    if (decoded === undefined) return this.#dropped(space, key);
    try {
      // The snapshot ends an entry with its idle time, if that is before its ttl, which the bytes have.
      const idleUntil = freshUntil < decoded.freshUntil ? freshUntil : undefined;
      const held = heldEntry(this.keep(decoded.value), { ...decoded, generations, idleUntil });
      const ttl = Math.min(freshUntil - now, longestTtl);
      this.cache.setIn(space, key, held, {
        weight,
        ttl: ttl === longestTtl ? Number.POSITIVE_INFINITY : ttl,
      });
      return held;
    } catch {
      return this.#dropped(space, key);
    }
  }

  #dropped(space: number, key: string): undefined {
    this.cache.deleteIn(space, key);
    return undefined;
  }
}

/** Does the same, and gives each reader a copy. */
export class SavingCloningStorage extends SavingMemoryStorage {
  readonly #copies: EntryCopies;

  constructor(options: MemoryOptions, snapshot: string | SnapshotOptions) {
    super(options, snapshot);
    this.#copies = new EntryCopies(options);
  }

  override read(space: number, key: string): LocalEntry | undefined {
    return this.#copies.of(this, space, key, super.read(space, key));
  }

  override peek(space: number, key: string): LocalEntry | undefined {
    return this.#copies.of(this, space, key, super.peek(space, key));
  }

  copy(value: unknown): unknown {
    return this.#copies.copy(value);
  }

  protected override keep(value: unknown): unknown {
    return this.copy(value);
  }
}
