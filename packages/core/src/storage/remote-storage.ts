/**
 * A place for bytes outside this process: a database, a server, a folder of files. A driver author writes this interface
 * and nothing else of Cacheme.
 *
 * Rules for every method: a batch is one round trip (one per shard); a call settles within a bounded time, also when the
 * server hangs or dies; it rejects with any error when the storage is in trouble, and never emits an unhandled one; it
 * works again by itself when the storage is back.
 */
export interface RemoteStorage {
  readonly kind: "remote";
  /** What to call this storage in messages, such as `redis://localhost:6379`. Never holds a password. */
  readonly label: string;
  /** Makes the storage ready. With `connect: "lazy"` it returns at once. Calling it twice does nothing more. */
  connect(): Promise<void>;
  /** Gives back sockets and timers of ours (a client that the user passed in stays open). Twice does nothing more. */
  close(): Promise<void>;
  /** Settles when the storage answers. */
  ping(): Promise<void>;
  /**
   * The stored bytes in the order of `keys`, `undefined` where there are none. Expired records are never returned. A key
   * may stand in `keys` more than once.
   */
  readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** Stores every record, replacing what was there. Of two records with one key the later one wins. */
  writeMany(records: readonly StoredRecord[]): Promise<void>;
  /** Removes the records. Answers how many there were; a key that stands twice counts once. */
  removeMany(keys: readonly string[]): Promise<number>;
}

/** What {@link RemoteStorage.writeMany} stores under one key. */
export interface StoredRecord {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Milliseconds from now on the *storage's* clock, at least 1; `undefined` keeps the record until it is removed. */
  readonly ttl: number | undefined;
}
