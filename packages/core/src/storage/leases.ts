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
  /**
   * Takes the lease of each key if it is available.
   *
   * @param isBulk whether throughput counts more than the time of others, as for a warm-up. It
   *   changes nothing else, and a storage may ignore it
   */
  acquire(requests: readonly LeaseRequest[], isBulk?: boolean): Promise<readonly LeaseAnswer[]>;
  /**
   * Stores each record whose lease has this token. The answer is `true`, or `false` if the record
   * was refused and nothing changed.
   *
   * @param isBulk as for {@link acquire}
   */
  fill(records: readonly LeasedRecord[], isBulk?: boolean): Promise<readonly boolean[]>;
  /**
   * Ends each lease that has this token, and keeps the bytes. Any other lease stays.
   *
   * The answer is `true` if the token was still stored, so nothing has stored or removed the key
   * since the grant. The token of a lease that has ended may still be stored, and counts then.
   */
  release(leases: readonly HeldLease[]): Promise<readonly boolean[]>;
  /**
   * Moves the end of each lease that has this token, and changes nothing else. The answer is `true`
   * if the token was still stored, as for {@link release}.
   *
   * `undefined` if the storage cannot do it. A load that outlives its lease may then lose the right
   * to fill.
   */
  readonly extend?: ((leases: readonly LeaseExtension[]) => Promise<readonly boolean[]>) | undefined;
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
  /**
   * The bytes that the caller has read under the key and cannot use, because a tag was invalidated
   * or their format is unknown. If the fresh bytes are the same, they count as stale. Default:
   * fresh bytes are always the answer.
   */
  readonly seen?: Uint8Array | undefined;
}

/**
 * The answer to a {@link LeaseRequest}:
 *
 * - `granted`: the caller holds the lease. Bytes under the key are stale, and stay readable.
 * - `held`: another caller holds it.
 * - `fresh`: the bytes under the key are still fresh (`StoredRecord.freshFor`) and not those of
 *   {@link LeaseRequest.seen}, so there is nothing to load.
 */
export type LeaseAnswer =
  | {
      readonly outcome: "granted";
      /**
       * The token for {@link Leases.fill}, {@link Leases.release} and {@link Leases.extend}. No two
       * leases ever have the same.
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

/** A lease with a new end. */
export interface LeaseExtension extends HeldLease {
  /** Milliseconds from now, on the storage's clock, until the lease ends. At least 1. */
  readonly duration: number;
}

/** A record to store with the right of a lease. */
export interface LeasedRecord extends StoredRecord, HeldLease {}
