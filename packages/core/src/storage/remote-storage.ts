import type { Generations } from "./generations.js";
import type { KeyPattern } from "./key-pattern.js";
import type { Leases } from "./leases.js";

/**
 * A place for bytes outside this process: a database, a server, a folder of files. A driver author writes this interface
 * and nothing else of Cacheme; `cacheme/driver` has what most drivers need besides, and `@cacheme/testkit` the suite that
 * tells whether a storage keeps this contract.
 *
 * Rules for every method:
 *
 * - A batch is one round trip (one per shard). An empty batch is none.
 * - A call settles within a bounded time, also when the server hangs or dies. It rejects with any error when the storage
 *   is in trouble, and never emits an unhandled one. It works again by itself when the storage is back.
 * - A key is a text of 1 to 2,000 UTF-16 units without control characters and without halves of surrogate pairs; keys
 *   are told apart byte by byte. Anything else is refused with a `KeyError`, and nothing of that batch is done
 *   (`checkKeys` of `cacheme/driver`).
 * - Time is the *storage's* clock. A client whose clock is wrong by years reads and writes the same.
 * - Idle is idle: no socket and no timer keeps a finished program alive.
 */
export interface RemoteStorage {
  readonly kind: "remote";
  /** What to call this storage in messages, such as `redis://localhost:6379`. Never holds a password. */
  readonly label: string;
  /**
   * Makes the storage ready. With `connect: "lazy"` it returns at once. Calling it twice does nothing more; after a
   * failure the next call tries again.
   */
  connect(): Promise<void>;
  /**
   * Gives back sockets and timers of ours (a client that the user passed in stays open) when the calls that are under way
   * have settled. Twice does nothing more. Every later call rejects with `CACHEME_CLOSED`.
   */
  close(): Promise<void>;
  /** Settles when the storage answers. */
  ping(): Promise<void>;
  /**
   * Reads the clock that decides when the storage's records and leases expire: whole milliseconds since the epoch. The
   * answer is the clock's reading at some moment between the call and the answer, never the client's own clock. It costs
   * one round trip and has the deadline of any call.
   *
   * A storage whose clock ticks in longer steps answers with its last tick: memcached's ticks are a second long. The clock
   * of a server may be set back, so a later answer may be smaller.
   */
  time(): Promise<number>;
  /** How long a tick of that clock is, in milliseconds. Default: 1. */
  readonly timePrecision?: number | undefined;
  /**
   * The stored bytes in the order of `keys`, `undefined` where there are none. Expired records are never returned, also
   * where the database has not swept them up yet. A key may stand in `keys` more than once. A lease hides nothing: the
   * bytes that were there before it stay readable.
   */
  readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  /**
   * Stores every record, replacing what was there: bytes, ttl and lease. Of two records with one key the later one wins.
   */
  writeMany(records: readonly StoredRecord[]): Promise<void>;
  /**
   * Removes the records *and their leases*, so that a load that began before is not stored after. Answers how many records
   * there were; a key that stands twice counts once. Whether a lease without bytes counts is left to the storage.
   */
  removeMany(keys: readonly string[]): Promise<number>;
  /**
   * The keys that match, in pages, in any order: those with bytes, and those with a running lease. A key that is there
   * from the beginning to the end of the scan is in at least one page; one that comes or goes meanwhile may be in none,
   * and any may be in several. Each page is a call with a deadline of its own.
   */
  readonly scan?: ((pattern: KeyPattern) => AsyncIterable<readonly string[]>) | undefined;
  /** One loader per key in the whole cluster, and fills that no removal can be lost to. */
  readonly leases?: Leases | undefined;
  /** What tags stand on. */
  readonly generations?: Generations | undefined;
  /** What is at the other end. */
  readonly info?: (() => Promise<StorageInfo>) | undefined;
  /**
   * Why this storage does not offer what it does not offer, a sentence each. A storage may learn only when it connects what
   * its server can do, so read a capability each time that you need it.
   */
  readonly lacks?: { readonly [capability in StorageCapability]?: string } | undefined;
}

/** What a storage may offer beyond reading, writing and removing. */
export type StorageCapability = "generations" | "info" | "leases" | "scan";

/** What {@link RemoteStorage.writeMany} stores under one key. */
export interface StoredRecord {
  readonly key: string;
  readonly bytes: Uint8Array;
  /**
   * Milliseconds from now on the *storage's* clock, from 1 to ten years and beyond, whole (a fraction is left off);
   * `undefined` keeps the record until it is removed.
   */
  readonly ttl: number | undefined;
  /**
   * Milliseconds from now on the storage's clock in which the record counts as fresh, so that {@link Leases.acquire}
   * answers with it. Afterwards it is stale: readable, and the lease may be had. Default: as long as it is kept.
   */
  readonly freshFor?: number | undefined;
}

/** What {@link RemoteStorage.info} tells: for people and dashboards, not for decisions. */
export interface StorageInfo {
  /** The product and its version as it says itself, such as `Redis 7.0.15`. */
  readonly server: string;
  /** About how many records there are, where that is cheap to know. Records of other programs may be counted too. */
  readonly records?: number | undefined;
  /** About how many bytes they take, where that is cheap to know. */
  readonly bytes?: number | undefined;
  /** Whatever else is worth a look, such as the table, the role, the nodes. */
  readonly details?: Readonly<Record<string, string | number | boolean>> | undefined;
}
