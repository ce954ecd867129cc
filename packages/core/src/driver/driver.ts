import type { Generation } from "../storage/generations.js";
import type { KeyPattern } from "../storage/key-pattern.js";
import type { HeldLease, LeaseAnswer, LeasedRecord, LeaseExtension } from "../storage/leases.js";
import type {
  ServerRun,
  StorageCapability,
  StorageInfo,
  StoredRecord,
  StoredTouch,
} from "../storage/remote-storage.js";
import type { StorageCall } from "./storage-calls.js";

/**
 * The commands of one database. `DriverStorage` makes a `RemoteStorage` of them.
 *
 * Rules for every method:
 *
 * - A batch is never empty, its keys are checked, and no key is in it twice (but see
 *   `takesRepeatedKeys`).
 * - A batch is one round trip (one per server). Answers come in the order of the batch.
 * - Times are whole milliseconds, from 1, on the database's own clock.
 * - A method may throw any error. The storage adds its label, the operation and the advice.
 * - `call.isLate` is `true` once the deadline has passed. The caller has its error by then, so send
 *   nothing more. `call.signal` aborts then, and the listeners of `call.whenLate` are called.
 * - The storage calls `open` before the first method, and `close` after the last one has settled.
 *
 * A driver with `acquire`, `fill`, `release` and `extend` supports leases; one with `ensure` and `bump`
 * supports generations. If it does not support a capability, it gives the reason in `lacks`.
 *
 * @example
 * ```ts
 * class CouchDriver implements Driver {
 *   readonly lacks = { leases: "…", generations: "…", scan: "…", info: "…" };
 *   readonly #client: CouchClient;
 *
 *   constructor(settings: CouchSettings) {
 *     this.#client = new CouchClient(settings);
 *   }
 *
 *   async read(keys: readonly string[], { signal }: StorageCall) {
 *     const found = await this.#client.find(keys, { signal });
 *     return keys.map((key) => found.get(key));
 *   }
 *   // open, close, ping, time, write and remove are like it.
 * }
 * ```
 */
export interface Driver {
  /**
   * Makes the database ready: a first connection, a table. After a failure the next call tries
   * again.
   *
   * @param signal aborts when `connectTimeout` has passed
   */
  open(signal: AbortSignal): Promise<void>;
  /** Closes the sockets and timers that the driver made. Called once. */
  close(): Promise<void>;
  ping(call: StorageCall): Promise<unknown>;
  /** Reads the database's clock: milliseconds since the epoch. */
  time(call: StorageCall): Promise<number>;
  /**
   * Reads the bytes of each key: `undefined` for a key without bytes, and for one that has expired.
   */
  read(keys: readonly string[], call: StorageCall): Promise<readonly (Uint8Array | undefined)[]>;
  /**
   * Stores each record, replacing bytes, ttl and lease. If some records are refused, the others are
   * stored, and `KeyFailures` names the refused ones.
   */
  write(records: readonly StoredRecord[], call: StorageCall): Promise<unknown>;
  /**
   * Returns the reason why the database cannot store a record, such as a `RecordTooLarge`. `write`
   * and `fill` do not get such a record. The others of its batch are stored, and the call rejects
   * with a `BatchError`. Default: it may store each.
   */
  refusalOf?(record: StoredRecord): Error | undefined;
  /** Removes each record and its lease, and returns how many records there were. */
  remove(keys: readonly string[], call: StorageCall): Promise<number>;
  /** See `RemoteStorage.touchMany`. Returns `true` for each record that is there. */
  touch?(touches: readonly StoredTouch[], call: StorageCall): Promise<readonly boolean[]>;

  /**
   * Lists keys in pages. The storage filters them with `pattern.matches` and skips empty pages, so
   * a page may hold keys that do not match.
   *
   * @param page makes one call with its own deadline; use it for each round trip
   */
  scan?(pattern: KeyPattern, page: ScanPage): AsyncIterable<readonly string[]>;
  info?(call: StorageCall): Promise<StorageInfo>;

  /** The number of connections made so far, for a driver with {@link run}. */
  readonly connections?: number | undefined;
  /** Returns the server's present run; see `ServerRuns`. */
  run?(call: StorageCall): Promise<ServerRun>;

  /**
   * See `Leases.acquire`. A granted lease has the token of its request, or one of the database's
   * own (see `isToken`).
   */
  acquire?(
    requests: readonly Acquisition[],
    call: StorageCall,
    isBulk?: boolean,
  ): Promise<readonly LeaseAnswer[]>;
  /** See `Leases.fill`. Returns `true` for each record that was stored. */
  fill?(records: readonly LeasedRecord[], call: StorageCall, isBulk?: boolean): Promise<readonly boolean[]>;
  /** See `Leases.release`. Returns `true` for each token that was still stored. */
  release?(leases: readonly HeldLease[], call: StorageCall): Promise<readonly boolean[]>;
  /** See `Leases.extend`. Returns `true` for each token that was still stored. */
  extend?(leases: readonly LeaseExtension[], call: StorageCall): Promise<readonly boolean[]>;
  /**
   * Returns whether a token may be one of this database's. Default: 32 lower-case hexadecimal
   * digits, as the storage draws them.
   */
  isToken?(token: string): boolean;

  /** See `Generations.ensure`. Makes the generation with the tag's id if there is none. */
  ensure?(tags: readonly NewGeneration[], ttl: number | undefined, call: StorageCall): Promise<Made>;
  /**
   * See `Generations.bump`. Makes the generation with the tag's id, with a time not before that of
   * the old one.
   */
  bump?(tags: readonly NewGeneration[], ttl: number | undefined, call: StorageCall): Promise<Made>;

  /**
   * Removes one batch of expired records, and returns whether there may be more. Called in the
   * background, every `sweepInterval`. Not for databases that remove expired records by themselves.
   */
  sweep?(call: StorageCall): Promise<boolean>;

  /**
   * See `RemoteStorage.lacks`. It may change while the driver opens. If it gives a reason not to
   * use leases, the storage supports none, even if the driver has their methods.
   */
  readonly lacks?: { readonly [capability in StorageCapability]?: string } | undefined;
  /** See `RemoteStorage.timePrecision`. */
  readonly timePrecision?: number | undefined;
  /**
   * Whether `read` answers repeated keys, and whether `write` stores the later one of two records
   * with one key. Each `true` saves the calls the search for repeated keys. Default `false`: no key
   * is in a batch twice.
   */
  readonly takesRepeatedKeys?: { readonly read?: boolean; readonly write?: boolean } | undefined;
  /** Explains the database's errors. */
  readonly errors?: DriverErrors | undefined;
  /**
   * Tries one call of each kind on a server that was opened, before it counts as open. Default:
   * none is tried.
   */
  readonly trial?: DriverTrial | undefined;
}

/** Makes one call of a scan, with a deadline. */
export type ScanPage = <T>(read: (call: StorageCall) => Promise<T>) => Promise<T>;

/** A requested lease. */
export interface Acquisition {
  readonly key: string;
  /** Whole milliseconds. */
  readonly duration: number;
  readonly steal: boolean;
  /** Bytes that do not count as fresh. See `LeaseRequest.seen`. */
  readonly seen: Uint8Array | undefined;
  /**
   * 128 random bits as 32 hexadecimal digits, for the lease if it is granted. Empty if the driver has
   * tokens of its own (`isToken`).
   */
  readonly token: string;
}

/** A generation that may be made. */
export interface NewGeneration {
  readonly key: string;
  /** 128 random bits as 22 characters of base64url. */
  readonly id: string;
}

/** The generations in the order of the tags. A missing one is an error of the call. */
export type Made = readonly (Generation | undefined)[];

/** A driver's knowledge of its database's errors. */
export interface DriverErrors {
  /**
   * Returns an error that may be shown and kept, without passwords and values. Default: unchanged.
   */
  clean?(error: Error): Error;
  /**
   * Returns advice for an error of a call, a sentence. Default: the storage's own words give the
   * reason.
   */
  advice?(error: Error): string;
  /**
   * The advice if the database cannot be opened, a sentence. Default: to check the server and its
   * address.
   */
  readonly connectAdvice?: string | ((error: Error) => string) | undefined;
  /**
   * Returns whether an error of opening has the server's own words, so the server was reached.
   * Default: unknown.
   */
  isAnswer?(error: Error): boolean;
  /**
   * Returns a remedy, a sentence, if a server refuses to work but is neither too old nor of another
   * kind. Examples are a missing permission, and a replica that takes no writes.
   */
  remedyFor?(error: Error): string | undefined;
  /**
   * Returns whether the database has no room. If a bump fails with such an error, the storage
   * removes the generation instead. Then each entry of the tag is a miss, as after a bump.
   */
  isFull?(error: unknown): boolean;
}

/** How to try a server. See `Trial`. */
export interface DriverTrial {
  /** The servers that the storage works with, such as `MySQL 8.0.13 or newer`. */
  readonly needs: string;
  /**
   * Returns whether an error is unrelated to the server's kind, such as one of a full server.
   * Default: `isFull`.
   */
  passes?(error: Error): boolean;
  /** Whether a page of a scan is cheap, whatever else is stored. Default `true`. */
  readonly scans?: boolean | undefined;
  /** Whether the clock is read too. Default `true`. */
  readonly readsTime?: boolean | undefined;
}
