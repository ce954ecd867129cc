/** The writes and removals of a key in one tier, while a `set` or an invalidation waits. */
export interface RoundTrips {
  /** The number of requests that were sent since the call. */
  readonly sent: number;
  /** The number of storages that were replaced. Then a request is sent again. */
  readonly replaced: number;
}

/**
 * Checks promise 11 when a `set` or an invalidation settles. It may wait for the request that is
 * under way, and for one more, which all callers since share.
 *
 * @returns the violation
 */
export function checkRoundTrips({ sent, replaced }: RoundTrips): string | undefined {
  return sent > 2 * (1 + replaced) ? `has waited for ${sent} requests of one tier` : undefined;
}
