import type { RemoteStorage } from "cacheme";

/** A storage that is measured beside the client that it stands on. */
export interface StorageSubject {
  /** What is given to `npm run bench:storages -- NAME`. */
  readonly name: string;
  /** Starts a server of its own where there is one to start, and connects both sides. */
  start(): Promise<StartedSubject>;
}

export interface StartedSubject {
  readonly storage: RemoteStorage;
  readonly bare: BareClient;
  /** Ends both sides and the server. */
  stop(): Promise<void>;
}

/**
 * The bare client doing the same work in its best form: the same keys and bytes, the same ttl, one round trip, the answers as
 * bytes in the order of the keys. Its keys are others than the storage's, so both may use one table.
 */
export interface BareClient {
  readMany(keys: readonly string[]): Promise<readonly (Uint8Array | null | undefined)[]>;
  writeMany(records: readonly BareRecord[]): Promise<unknown>;
}

export interface BareRecord {
  readonly key: string;
  readonly bytes: Buffer;
  /** In milliseconds. */
  readonly ttl: number;
}
