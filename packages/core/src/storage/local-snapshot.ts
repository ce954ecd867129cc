import type { Clock } from "../clock.js";
import type { EntryFormat } from "../entry/entry-formats.js";
import type { SnapshotFault, SnapshotReport } from "../snapshot-report.js";
import type { HeldGeneration } from "./local-storage.js";

/**
 * The part of a local storage that saves its entries, so that the next process starts with them.
 * Only a storage that has it costs a class anything.
 */
export interface LocalSnapshot {
  /** Reads the saved entries. Never rejects: without them the process starts with an empty storage. */
  open(host: SnapshotHost): Promise<void>;
  /**
   * Tells the class whose entries the storage holds under a number. Returns the number: that of the
   * class's restored entries, or else a new one.
   *
   * @param next draws a new number
   */
  adopt(owner: SnapshotOwner, next: () => number): number;
  /**
   * Removes the restored entries of classes that were not used yet, if the function accepts their
   * keys in remote storages.
   *
   * @returns the number of removed entries
   */
  removeUnused(accepts: (storageKey: string) => boolean): number;
  /** Saves the entries, and waits for a save that is under way. Never rejects. */
  close(): Promise<void>;
}

/** The space that a storage is registered in, as its snapshot needs it. */
export interface SnapshotHost {
  /** The name of the storage. */
  readonly storage: string;
  readonly clock: Clock;
  readonly tags: SnapshotTags;
  saved(file: string, report: SnapshotReport): void;
  restored(file: string, report: SnapshotReport): void;
  failed(file: string, operation: "read" | "save", fault: SnapshotFault, error: Error): void;
}

/** The tags of the space's entries. */
export interface SnapshotTags {
  /**
   * Returns the generations of this process for a restored entry; `undefined` if one of the tags was
   * invalidated since the process began.
   */
  restored(names: readonly string[], neededUntil: number): readonly HeldGeneration[] | undefined;
  /** Calls the watcher before an invalidation of tags resolves. */
  watch(watcher: TagWatcher): void;
}

/** Gets the tags that are invalidated. */
export interface TagWatcher {
  ended(tag: string): void;
  endedWhere(matches: (tag: string) => boolean): void;
}

/** A node class whose entries a snapshot holds. */
export interface SnapshotOwner {
  /** The beginning and the end of the class's keys in remote storages: prefix, name and version. */
  readonly id: string;
  /** Returns the key that the bytes of an entry are bound to. */
  storageKey(key: string): string;
  /** The format in which the class's entries are written. */
  readonly format: EntryFormat;
  /** Returns the format of bytes that were written before. */
  formatOf(bytes: Uint8Array): EntryFormat;
  /**
   * Whether this process alone decides what is valid: the class has no remote tier, and no bus
   * brings news. Otherwise the values cannot be proven after a restart.
   */
  readonly isAlone: boolean;
}
