import type { StoredRecord } from "../storage/remote-storage.js";
import type { ReadTag } from "./tag-reads.js";

/** A key to read from a remote storage. */
export interface RemoteRead {
  readonly storageKey: string;
  /** The tags whose generations are read in the same request, and arrive before the bytes. */
  readonly tags?: readonly ReadTag[] | undefined;
  /**
   * Called with the bytes on a hit, and with neither on a miss. If the storage is in trouble,
   * called with the error. Must not throw.
   */
  arrived(bytes: Uint8Array | undefined, trouble: Error | undefined): void;
}

/** A record to write. */
export interface RemoteWrite {
  readonly storageKey: string;
  /**
   * The length of the lease by which the record is stored, in milliseconds, if the storage supports
   * leases. `undefined` stores it without a lease.
   */
  readonly lease: number | undefined;
  /**
   * Returns the record when the batch is sent. It is `undefined` if the write was overtaken
   * meanwhile and must not happen.
   */
  record(): StoredRecord | undefined;
  /** Called with the error if it is unknown whether the record is stored. Must not throw. */
  done(error: Error | undefined): void;
  /**
   * Called instead if the storage has refused the record, because another process has removed the
   * key or taken its lease meanwhile. Must not throw.
   */
  refused(): void;
}

/** A key to remove. */
export interface RemoteRemoval {
  readonly storageKey: string;
  /** Called with the error if it is unknown whether the record is gone. Must not throw. */
  done(error: Error | undefined): void;
}
