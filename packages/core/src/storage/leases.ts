import type { StoredRecord } from "./remote-storage.js";

/**
 * The right to load a key and to store the loaded value. One process of a cluster holds it at a
 * time.
 *
 * A lease is stored under its key beside the bytes. It has a token that only its holder knows, and
 * a time at which it ends. Each operation is atomic for its key, so the storage decides the order
 * of fills and removals, not the network:
 *
 * - a fill needs the stored token; it stores the bytes and uses the token up;
 * - `removeMany` and `writeMany` destroy the lease, so a fill that arrives after them is refused;
 * - anybody may take a lease that has ended. A late fill may be taken or refused while its token is
 *   still stored, because no removal came between.
 *
 * A batch is one round trip, and its answers are in the order of the requests. A key occurs in a
 * batch at most once.
 */
export interface Leases {
  /** Takes the lease of each key if it is available. */
  acquire(requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]>;
  /**
   * Stores each record whose lease has this token. The answer is `true`, or `false` if the record
   * was refused and nothing changed.
   */
  fill(records: readonly LeasedRecord[]): Promise<readonly boolean[]>;
  /** Ends each lease that has this token, and keeps the bytes. Any other lease stays. */
  release(leases: readonly HeldLease[]): Promise<void>;
}

/** A request to {@link Leases.acquire}. */
export interface LeaseRequest {
  readonly key: string;
  /** The length of the lease in milliseconds, at least 1. Afterwards anybody may take it. */
  readonly duration: number;
  /**
   * Whether to take the lease even from a holder, and in spite of fresh bytes, as refreshes and
   * writes do. Default `false`.
   */
  readonly steal?: boolean | undefined;
}

/**
 * The answer to a {@link LeaseRequest}:
 *
 * - `granted`: the caller holds the lease. Bytes under the key are stale, and stay readable.
 * - `held`: another caller holds it.
 * - `fresh`: the bytes under the key are still fresh (`StoredRecord.freshFor`), so there is nothing
 *   to load.
 */
export type LeaseAnswer =
  | {
      readonly outcome: "granted";
      /**
       * The token for {@link Leases.fill} and {@link Leases.release}. No two leases ever have the
       * same.
       */
      readonly token: string;
      /**
       * The storage's time of the grant, in whole milliseconds since the epoch, comparable with
       * `Generation.at`. `undefined` if generations have another clock, because their order is then
       * unknown.
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

/** A record to store with the right of a lease. */
export interface LeasedRecord extends StoredRecord, HeldLease {}
