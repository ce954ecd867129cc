import type { Generations } from "./generations.js";
import type { KeyPattern } from "./key-pattern.js";
import type { Leases } from "./leases.js";

/**
 * A place for bytes outside this process: a database, a server, a folder of files. A driver author
 * implements this interface and nothing else of Cacheme. `cacheme/driver` has the other parts that
 * most drivers need. The suite of `@cacheme/testkit` tests whether a storage keeps this contract.
 *
 * Rules for every method:
 *
 * - A batch is one round trip (one per shard). An empty batch is none.
 * - A call settles within a bounded time, even if the server hangs or dies. It rejects with any
 *   error if the storage is in trouble, and never emits an unhandled one. It works again by itself
 *   when the storage is back.
 * - A key is a string of 1 to 2,000 UTF-16 units without control characters and without halves of
 *   surrogate pairs. Keys are compared byte by byte. Any other key is refused with a `KeyError`,
 *   and nothing of that batch is done (`checkKeys` of `cacheme/driver`).
 * - Time is the *storage's* clock. A client whose clock is wrong by years reads and writes the
 *   same.
 * - Idle is idle: no socket and no timer keeps a finished program alive.
 */
export interface RemoteStorage {
  readonly kind: "remote";
  /**
   * The storage's name in messages, such as `redis://localhost:6379`. It never holds a password.
   */
  readonly label: string;
  /**
   * Makes the storage ready. With `connect: "lazy"` it returns at once. A second call does nothing
   * more; after a failure the next call tries again.
   */
  connect(): Promise<void>;
  /**
   * Closes our sockets and timers when the running calls have settled. A client that the user
   * passed in stays open. A second call does nothing more. Every later call rejects with
   * `CACHEME_CLOSED`.
   */
  close(): Promise<void>;
  /** Settles when the storage answers. */
  ping(): Promise<void>;
  /**
   * Reads the clock that decides when the storage's records and leases expire: whole milliseconds
   * since the epoch. The answer is the clock's reading at some moment between the call and the
   * answer, never the client's own clock. It costs one round trip and has the deadline of any call.
   *
   * A storage whose clock ticks in longer steps answers with its last tick: memcached's ticks are a
   * second long. The clock of a server may be set back, so a later answer may be smaller.
   */
  time(): Promise<number>;
  /** The length of that clock's tick, in milliseconds. Default: 1. */
  readonly timePrecision?: number | undefined;
  /**
   * Returns the stored bytes in the order of `keys`, `undefined` for a key without a record.
   * Expired records are never returned, even if the database has not removed them yet. A key may
   * occur in `keys` more than once. A lease hides nothing: the bytes before it stay readable.
   */
  readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  /**
   * Stores every record and replaces the old one: bytes, ttl and lease. If two records have one
   * key, the later one wins.
   */
  writeMany(records: readonly StoredRecord[]): Promise<void>;
  /**
   * Removes the records *and their leases*, so that a load that began before is not stored after.
   * Returns how many records there were; a key that occurs twice counts once. The storage decides
   * whether a lease without bytes counts.
   */
  removeMany(keys: readonly string[]): Promise<number>;
  /**
   * Keeps each record for longer, and answers whether there is one. It only ever extends: a record
   * that is kept for longer already stays, and no record is made or brought back.
   *
   * Bytes and leases stay unchanged. A record that is fresh to its end is fresh to its new end, and
   * any other one becomes stale when it would have. A lease alone is no record. Bytes with a running
   * lease may be left as they are, because they are about to be replaced. If a key occurs twice, the
   * longer time counts.
   *
   * `undefined` if the storage could only write the bytes again. Node classes with `idle` are then
   * refused.
   */
  readonly touchMany?: ((touches: readonly StoredTouch[]) => Promise<readonly boolean[]>) | undefined;
  /**
   * Returns the keys that match, in pages, in any order: those with bytes, and those with a running
   * lease. A key that exists from the beginning to the end of the scan is in at least one page. A
   * key that is added or removed meanwhile may be in none, and any key may be in several. Each page
   * is a call with a deadline of its own.
   */
  readonly scan?: ((pattern: KeyPattern) => AsyncIterable<readonly string[]>) | undefined;
  /** Leases: one loader per key in the whole cluster, and fills that never undo a removal. */
  readonly leases?: Leases | undefined;
  /** Generations, on which tags are built. */
  readonly generations?: Generations | undefined;
  /**
   * The longest that a call may take, in milliseconds, if the user chose it (`commandTimeout`). It is
   * then the default of the option `deadline` of `registerStorage`.
   */
  readonly deadline?: number | undefined;
  /** Returns a description of the server. */
  readonly info?: (() => Promise<StorageInfo>) | undefined;
  /** Tells the runs of the server apart, for the option `afterRestart: "distrust"`. */
  readonly runs?: ServerRuns | undefined;
  /**
   * The reasons why the storage does not support a capability, a sentence each. A storage may only
   * learn its server's capabilities when it connects. So read a capability each time that you need
   * it.
   */
  readonly lacks?: { readonly [capability in StorageCapability]?: string } | undefined;
}

/** Tells the runs of a server apart. A run ends when the server stops, or another one takes over. */
export interface ServerRuns {
  /**
   * The number of connections made so far. While it is the same, so is the run: read it after an
   * answer, and ask for the run if it has changed.
   */
  readonly connections: number;
  /** Returns the run that the storage is connected to now. */
  current(): Promise<ServerRun>;
}

/** One run of a server, or of all servers of a cluster. */
export interface ServerRun {
  /** Any other run has another id. */
  readonly id: string;
  /**
   * The time at which it began, on the storage's clock, and not too early. `undefined` if the
   * server does not tell.
   */
  readonly startedAt: number | undefined;
}

/** A capability that a storage may have beyond reading, writing and removing. */
export type StorageCapability = "generations" | "info" | "leases" | "scan" | "touchMany";

/** A record that {@link RemoteStorage.touchMany} keeps for longer. */
export interface StoredTouch {
  readonly key: string;
  /** Milliseconds from now on the storage's clock for which the record is kept at least. */
  readonly ttl: number;
}

/** A record that {@link RemoteStorage.writeMany} stores under one key. */
export interface StoredRecord {
  readonly key: string;
  readonly bytes: Uint8Array;
  /**
   * Milliseconds from now on the *storage's* clock, from 1 to ten years and beyond, whole
   * (fractions are dropped). `undefined` keeps the record until it is removed.
   */
  readonly ttl: number | undefined;
  /**
   * Milliseconds from now on the storage's clock in which the record is fresh.
   * {@link Leases.acquire} answers `fresh` meanwhile. Afterwards it is stale: readable, and its
   * lease is available. Default: as long as the record is kept.
   */
  readonly freshFor?: number | undefined;
}

/** The answer of {@link RemoteStorage.info}, for people and dashboards, not for decisions. */
export interface StorageInfo {
  /** The product and its version as the server names them, such as `Redis 7.0.15`. */
  readonly server: string;
  /**
   * The approximate number of records, if counting is cheap. Records of other programs may be
   * included.
   */
  readonly records?: number | undefined;
  /** The approximate size of the records in bytes, if measuring is cheap. */
  readonly bytes?: number | undefined;
  /** Other useful details, such as the table, the role, the nodes. */
  readonly details?: Readonly<Record<string, string | number | boolean>> | undefined;
}
