import type { Clock } from "../clock.js";

/** A value that is not in its source yet. */
export interface JournalRecord {
  /** The key of the value; the journal holds the newest value of each key. */
  readonly key: string;
  /** The name and version of the value's class, such as `user:1`. */
  readonly node: string;
  /** The value, and what makes its node again. */
  readonly bytes: Uint8Array;
}

/** A record that one process writes into its source now. No other process gets it meanwhile. */
export interface JournalClaim extends JournalRecord {
  /** The number of the key's value in the journal. A newer value has a higher one. */
  readonly version: number;
  /** The number of times that the source has not taken this value. */
  readonly attempts: number;
  /** Names the claim. The claim of a process that died ends, and another one then has its own token. */
  readonly token: string;
}

/** The records to claim. */
export interface ClaimRequest {
  /** The classes that this process can write. Records of others stay. */
  readonly nodes: readonly string[];
  /** The most records. */
  readonly count: number;
  /** Milliseconds after which another process may claim them. */
  readonly duration: number;
  /**
   * Milliseconds of an append's delay that need not have passed; 0 for due records only. Records
   * that have failed are due when their own delay has passed.
   */
  readonly ahead: number;
}

/** A claim whose value the source has not taken. */
export interface FailedClaim {
  readonly claim: JournalClaim;
  /** The message of the error. */
  readonly reason: string;
  /** Milliseconds until the next attempt; `undefined` makes the record a dead letter. */
  readonly delay: number | undefined;
}

/** A value that was set aside, because its source does not take it. */
export interface JournalDeadLetter extends JournalRecord {
  readonly attempts: number;
  /** The message of the last error. */
  readonly reason: string;
  /** The time when it was set aside, in milliseconds since the epoch, on the journal's clock. */
  readonly at: number;
}

/** The numbers of records of one class. */
export interface JournalCount {
  readonly node: string;
  /** Values that are not in their source yet, without dead letters. */
  readonly unsaved: number;
  readonly deadLetters: number;
}

/**
 * A journal keeps saved values until they are in their source. It holds one record for each key:
 * the newest value. The methods work in batches and are atomic for each key. Lists hold each key
 * once. Each time is the journal's own.
 *
 * `journalCompliance` of `@cacheme/testkit` tests an implementation.
 */
export interface Journal {
  /** Names the journal in messages, without secrets. */
  readonly label: string;
  /** Whether the values outlive the process. */
  readonly isDurable: boolean;
  /** Whether other processes may append to it and write its values. */
  readonly isShared: boolean;

  /** @param clock the clock of the process, for a journal that has none of its own */
  connect(clock: Clock): Promise<void>;

  /**
   * Keeps the records. When it resolves, they survive the end of the process, if the journal is
   * durable. A record replaces an older one of its key, and a dead letter. A claim of the key goes
   * on, and nobody else claims the new record before it ends.
   *
   * @param delay milliseconds until the record is due. If the key has a record that waits unclaimed,
   *   the new one is due at the same time, so that a key which is saved again and again is written
   */
  append(records: readonly JournalRecord[], delay: number): Promise<void>;

  /**
   * Claims due records that nobody has claimed, and records whose claim has ended without an answer.
   * Takes those first that are due first, about.
   */
  claim(request: ClaimRequest): Promise<readonly JournalClaim[]>;

  /** Makes claims last for this long from now on. Lost claims stay lost. */
  extend(claims: readonly JournalClaim[], duration: number): Promise<void>;

  /**
   * Ends claims whose values are in the source. Removes each record, unless a newer value has come
   * meanwhile. A lost claim changes nothing.
   */
  complete(claims: readonly JournalClaim[]): Promise<void>;

  /**
   * Ends claims whose values the source has not taken. If a newer value has come meanwhile, the
   * failure says nothing about that one. A lost claim changes nothing.
   */
  fail(failures: readonly FailedClaim[]): Promise<void>;

  /** Returns the bytes of the keys' values that are not in their source yet, in the keys' order. */
  read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;

  /** Returns the numbers of records of each class that has some. */
  counts(): Promise<readonly JournalCount[]>;

  /** Returns dead letters, the oldest first. */
  deadLetters(limit: number): Promise<readonly JournalDeadLetter[]>;

  /** Makes dead letters due again, with no attempts. Returns their number. */
  requeue(keys: readonly string[]): Promise<number>;

  /** Removes dead letters. Returns their number. */
  drop(keys: readonly string[]): Promise<number>;

  close(): Promise<void>;
}
