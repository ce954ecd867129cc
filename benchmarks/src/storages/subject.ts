import type { RemoteStorage } from "cacheme";

/** A storage and its bare client. */
export interface StorageSubject {
  /** The name for `npm run bench:storages -- NAME`. */
  readonly name: string;
  /** Starts a server, if the storage has one, and connects both sides. */
  start(): Promise<StartedSubject>;
}

export interface StartedSubject {
  readonly storage: RemoteStorage;
  readonly bare: BareClient;
  /** Ends both sides and the server. */
  stop(): Promise<void>;
}

/**
 * The bare client in its fastest form, with the same work: the same keys and bytes, the same ttl,
 * one round trip, and answers as bytes in the order of the keys. Its keys differ from the
 * storage's, so both may use one table.
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
