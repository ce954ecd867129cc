/**
 * What a storage is said to offer, so that the suite asks for no more and for no less. What is left out counts as offered
 * in full.
 */
export interface Capabilities {
  /** Whether it has `leases`. Default `true`. */
  readonly leases?: boolean | undefined;
  /** Whether it has `generations`. Default `true`. */
  readonly generations?: boolean | undefined;
  /** Whether it has `scan`. Default `true`. */
  readonly scan?: boolean | undefined;
  /** Whether it has `info`. Default `true`. */
  readonly info?: boolean | undefined;
  /**
   * Whether its server can be put behind a TCP proxy. Default `true`; `false` where clients find the servers' own addresses,
   * as in a cluster: round trips are not counted then, and networks do not fail.
   */
  readonly proxy?: boolean | undefined;
  /**
   * How exactly it keeps a ttl, in milliseconds: a record may go so much sooner or later than it should. Default 1; a
   * server that counts in seconds has 1,000.
   */
  readonly ttlPrecision?: number | undefined;
  /** The most bytes of one value that it takes. Default 16 MiB, which is also the most that is tried. */
  readonly longestValue?: number | undefined;
  /** How many keys the scan is tried with. Default 100,000. */
  readonly scannedKeys?: number | undefined;
  /**
   * The round trips of a call, at most. Default 1 each. A storage of several servers has one per server, all at once, and
   * is not counted.
   */
  readonly roundTrips?: RoundTrips | undefined;
}

/** Round trips at most, per kind of call. */
export interface RoundTrips {
  readonly time?: number | undefined;
  readonly readMany?: number | undefined;
  readonly writeMany?: number | undefined;
  readonly removeMany?: number | undefined;
  readonly acquire?: number | undefined;
  readonly fill?: number | undefined;
  readonly release?: number | undefined;
  readonly ensure?: number | undefined;
  readonly bump?: number | undefined;
}

/** 16 MiB: the largest value that the suite tries. */
export const largestTried: number = 16 * 1024 * 1024;
