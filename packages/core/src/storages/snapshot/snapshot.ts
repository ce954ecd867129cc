import type { BoundedCache } from "@cacheme/memory";
import type { CancelTimer } from "../../clock.js";
import { asError, closedError, StorageError } from "../../errors.js";
import { storageKey } from "../../node/key.js";
import { optionError } from "../../option-checks.js";
import type { SnapshotReport } from "../../snapshot-report.js";
import type { LocalSnapshot, SnapshotHost, SnapshotOwner } from "../../storage/local-snapshot.js";
import type { LocalEntry } from "../../storage/local-storage.js";
import { Changes } from "./changes.js";
import { Owners } from "./owners.js";
import { Restoring } from "./restoring.js";
import { type Seen, SnapshotTrouble } from "./snapshot-disk.js";
import type { SnapshotSettings } from "./snapshot-options.js";
import type { SnapshotParts } from "./snapshot-parts.js";
import { Writing } from "./writing.js";

/**
 * Saves the entries of one cache to a file, and restores them.
 *
 * A process has the file to itself: a save that finds the file changed by another process gives up,
 * and the process saves nothing any more.
 */
export class Snapshot implements LocalSnapshot {
  readonly #cache: BoundedCache<string, LocalEntry>;
  readonly #settings: SnapshotSettings;
  readonly #owners = new Owners();
  #host: SnapshotHost | undefined;
  #opened: Promise<void> | undefined;
  /** The values in the file, and those in the file that is being written. */
  #saved: Changes | undefined;
  #writing: Changes | undefined;
  #seen: Seen | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<SnapshotReport> | undefined;
  #cancel: CancelTimer | undefined;
  #isClosed = false;

  constructor(cache: BoundedCache<string, LocalEntry>, settings: SnapshotSettings) {
    this.#cache = cache;
    this.#settings = settings;
  }

  now(): number {
    return this.#host?.clock.now() ?? 0;
  }

  ownerOf(space: number): SnapshotOwner | undefined {
    return this.#owners.of(space);
  }

  adopt(owner: SnapshotOwner, next: () => number): number {
    return this.#owners.adopt(owner, next);
  }

  /** The entry of a key is another one from now on, or none. */
  changed(space: number, key: string): void {
    this.#saved?.changed(space, key);
    this.#writing?.changed(space, key);
  }

  changedWhere(space: number, accepts: (key: string) => boolean): void {
    this.#saved?.changedWhere(space, accepts);
    this.#writing?.changedWhere(space, accepts);
  }

  /** Every entry of a class is removed. */
  cleared(space: number): void {
    this.#saved?.cleared(space);
    this.#writing?.cleared(space);
  }

  ended(tag: string): void {
    this.#saved?.ended(tag);
    this.#writing?.ended(tag);
  }

  endedWhere(matches: (tag: string) => boolean): void {
    this.#saved?.endedWhere(matches);
    this.#writing?.endedWhere(matches);
  }

  /**
   * Removes the restored entries of classes that were not used yet, if the function accepts their
   * keys in remote storages.
   *
   * @returns the number of removed entries
   */
  removeUnused(accepts: (storageKey: string) => boolean): number {
    let removed = 0;
    for (const [id, space] of this.#owners.waiting) {
      const isRemoved = (key: string): boolean => accepts(keyOf(id, key));
      this.changedWhere(space, isRemoved);
      const keys = Array.from(this.#cache.entriesIn(space), ([key]) => key).filter(isRemoved);
      for (const key of keys) if (this.#cache.deleteIn(space, key)) removed++;
    }
    return removed;
  }

  open(host: SnapshotHost): Promise<void> {
    host.tags.watch(this);
    if (this.#opened === undefined) {
      this.#opened = this.#restore(host);
      this.#running = this.#opened;
    }
    return this.#opened;
  }

  /** Saves the entries now, or after the save that is under way. */
  save(): Promise<SnapshotReport> {
    if (this.#isClosed) return Promise.reject(closedError("saveSnapshot was called"));
    this.#next ??= this.#queue(false);
    return this.#next;
  }

  async close(): Promise<void> {
    this.#cancel?.();
    if (!this.#isClosed && this.#host !== undefined) {
      this.#isClosed = true;
      await this.#queue(true).catch(() => {}); // Reported by the event.
    }
    this.#isClosed = true;
    this.#saved?.close();
    this.#saved = undefined;
  }

  async #restore(host: SnapshotHost): Promise<void> {
    this.#host = host;
    const { file } = this.#settings;
    const changes = this.#newChanges();
    this.#saved = changes;
    const restoring = new Restoring(this.#partsOf(host, changes));
    try {
      const { report, seen } = await restoring.run();
      this.#seen = seen;
      host.restored(file, report);
    } catch (thrown) {
      changes.close();
      this.#saved = undefined;
      this.#seen = restoring.seen;
      this.#report(host, "read", thrown);
    }
    this.#repeat(host);
  }

  #repeat(host: SnapshotHost): void {
    const { interval } = this.#settings;
    if (interval === undefined || this.#isClosed) return;
    this.#cancel = host.clock.schedule(() => {
      const again = (): void => this.#repeat(host);
      this.save().then(again, again);
    }, interval);
  }

  async #queue(isLast: boolean): Promise<SnapshotReport> {
    const before = this.#running;
    const saving = before.then(() => this.#save(isLast));
    this.#running = saving.catch(() => {});
    return saving;
  }

  async #save(isLast: boolean): Promise<SnapshotReport> {
    this.#next = undefined;
    const host = this.#host;
    const { file } = this.#settings;
    if (host === undefined)
      throw optionError(
        "saveSnapshot was called before the storage was registered. Call registerStorage first.",
      );
    const changes = this.#newChanges();
    this.#writing = changes;
    try {
      const writing = new Writing(this.#partsOf(host, changes));
      const { report, seen } = await writing.run(() => this.#current, isLast);
      this.#saved?.close();
      this.#saved = changes;
      this.#seen = seen;
      host.saved(file, report);
      return report;
    } catch (thrown) {
      changes.close();
      throw this.#report(host, "save", thrown);
    } finally {
      this.#writing = undefined;
    }
  }

  /** The file as this process knows it; `undefined` if there is none. */
  get #current(): Seen | undefined {
    const seen = this.#seen;
    return seen && this.#saved ? { ...seen, size: this.#saved.size } : seen;
  }

  #partsOf(host: SnapshotHost, changes: Changes): SnapshotParts {
    return { cache: this.#cache, owners: this.#owners, settings: this.#settings, host, changes };
  }

  /** If a change cannot be written to the file, the file must not be read by anybody. */
  #newChanges(): Changes {
    return new Changes((error) => {
      if (this.#host !== undefined) this.#report(this.#host, "save", error);
    });
  }

  #report(host: SnapshotHost, operation: "read" | "save", thrown: unknown): StorageError {
    const { file } = this.#settings;
    const error = asError(thrown);
    const fault = thrown instanceof SnapshotTrouble ? thrown.fault : "failed";
    host.failed(file, operation, fault, error);
    return new StorageError(
      "CACHEME_STORAGE_FAILED",
      `The snapshot of storage "${host.storage}" could not be ${operation === "save" ? "saved to" : "read from"} ${file}: ${error.message}`,
      { storage: host.storage, cause: thrown },
    );
  }
}

/** Returns the key in remote storages of an entry of the class with this id. */
function keyOf(id: string, key: string): string {
  const end = id.lastIndexOf(":");
  return storageKey(id.slice(0, end), key, id.slice(end));
}
