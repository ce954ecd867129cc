import type { StoredRecord } from "./remote-storage.js";

/**
 * The right to load a key and to store what was loaded, held by one process of a cluster at a time.
 *
 * A lease stands under its key beside the bytes: a token that only its holder knows, and a time at which it ends. Each
 * operation is atomic for its key, so the order of fills and removals is the storage's, not the network's:
 *
 * - a fill needs the token that stands there; it stores the bytes and uses the token up;
 * - `removeMany` and `writeMany` destroy the lease, so a fill that arrives after them is refused;
 * - a lease that has ended may be taken by anybody. A late fill whose token still stands may be taken or refused: no
 *   removal came between.
 *
 * A batch is one round trip, and its answers are in the order of what was asked. A key stands in a batch at most once.
 */
export interface Leases {
  /** Takes the lease of each key where it is to be had. */
  acquire(requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]>;
  /** Stores each record whose lease has this token: `true`, or `false` where it was refused and nothing changed. */
  fill(records: readonly LeasedRecord[]): Promise<readonly boolean[]>;
  /** Ends each lease that has this token, and leaves the bytes. Any other lease stays. */
  release(leases: readonly HeldLease[]): Promise<void>;
}

/** What {@link Leases.acquire} is asked for. */
export interface LeaseRequest {
  readonly key: string;
  /** The length of the lease in milliseconds, at least 1. Afterwards anybody may have it. */
  readonly duration: number;
  /** Takes the lease also from a holder, and in spite of fresh bytes: for refreshes and writes. Default `false`. */
  readonly steal?: boolean | undefined;
}

/**
 * - `granted`: the lease is ours. Bytes that are there are stale, and stay readable.
 * - `held`: somebody else has it.
 * - `fresh`: there are bytes that are still fresh (`StoredRecord.freshFor`), so there is nothing to load.
 */
export type LeaseAnswer =
  | {
      readonly outcome: "granted";
      /** What {@link Leases.fill} and {@link Leases.release} are to be given. No two leases ever have the same. */
      readonly token: string;
      /**
       * The storage's time of the grant, in whole milliseconds since the epoch, comparable with `Generation.at`; `undefined`
       * where generations stand under another clock, so that nothing can be said of their order.
       */
      readonly at: number | undefined;
    }
  | { readonly outcome: "held" }
  | { readonly outcome: "fresh"; readonly bytes: Uint8Array };

/** A lease that was granted. */
export interface HeldLease {
  readonly key: string;
  readonly token: string;
}

/** A record to be stored with the right of a lease. */
export interface LeasedRecord extends StoredRecord, HeldLease {}
