/**
 * The capabilities of a storage, as its author declares them. The suite tests exactly those. A
 * capability that is left out counts as fully supported.
 */
export interface Capabilities {
  /** Whether the storage has `leases`. Default `true`. */
  readonly leases?: boolean | undefined;
  /** Whether the storage's leases have `extend`. Default `true`. */
  readonly extend?: boolean | undefined;
  /** Whether the storage has `generations`. Default `true`. */
  readonly generations?: boolean | undefined;
  /** Whether the storage has `touchMany`. Default `true`. */
  readonly touch?: boolean | undefined;
  /** Whether the storage has `scan`. Default `true`. */
  readonly scan?: boolean | undefined;
  /** Whether the storage has `info`. Default `true`. */
  readonly info?: boolean | undefined;
  /**
   * Whether a TCP proxy can be put before the server. Default `true`. Set `false` if clients
   * discover the servers' own addresses, as in a cluster. The suite then counts no round trips and
   * tests no network failures.
   */
  readonly proxy?: boolean | undefined;
  /**
   * The precision of a ttl in milliseconds: a record may expire that much sooner or later. Default
   * 1. A server that counts in seconds has 1,000.
   */
  readonly ttlPrecision?: number | undefined;
  /**
   * The largest supported value in bytes. Default 16 MiB, which is also the largest that the suite
   * tries.
   */
  readonly longestValue?: number | undefined;
  /** The number of keys in the test of `scan`. Default 100,000. */
  readonly scannedKeys?: number | undefined;
  /**
   * The maximum of round trips for each call. Default 1 each. The suite does not count those of a
   * storage with several servers, which has one for each server.
   */
  readonly roundTrips?: RoundTrips | undefined;
}

/** The calls whose round trips are counted. */
type CountedCall =
  | "time"
  | "readMany"
  | "writeMany"
  | "removeMany"
  | "touchMany"
  | "acquire"
  | "fill"
  | "release"
  | "extend"
  | "ensure"
  | "bump";

/** The maximum of round trips for each kind of call. */
export type RoundTrips = { readonly [Call in CountedCall]?: number | undefined };

/** 16 MiB: the largest value that the suite tries. */
export const largestTried: number = 16 * 1024 * 1024;
