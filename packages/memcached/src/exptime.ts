/*
 * Expiration times (memcached's "exptime") are whole seconds: relative up to 30 days, and a time of
 * the server's clock beyond. The clock ticks once a second and counts the second that has begun as
 * a whole one, so an item of `n` seconds is kept for more than `n - 1` and at most `n`.
 */

const thirtyDays = 30 * 86_400;

/** The server's time is a signed number of 32 bits. */
const lastSecond = 2 ** 31 - 1;

/** Rounds a ttl up to seconds: a record is never returned a whole second after its ttl. */
export function ttlSeconds(ttl: number | undefined): number | undefined {
  return ttl === undefined ? undefined : Math.max(1, Math.ceil(ttl / 1000));
}

/** Rounds a lease up to seconds, and adds one, because a lease must not end before its time. */
export function leaseSeconds(milliseconds: number): number {
  return Math.min(Math.ceil(milliseconds / 1000) + 1, thirtyDays);
}

/** The clock of a server, in its seconds. */
export interface ServerTime {
  now(): number;
}

/**
 * Returns the token of the `T` flag. A record without a ttl gets the last second that a server
 * knows, in January 2038. It must have an end, because its other times are counted from there.
 *
 * @param seconds `undefined` for the longest time
 */
export function expiry(seconds: number | undefined, server: ServerTime): number {
  if (seconds !== undefined && seconds <= thirtyDays) return seconds;
  const time = server.now();
  const end = seconds === undefined ? lastSecond : Math.min(time + seconds, lastSecond);
  // Near the clock's last second only a relative time is left.
  return end - time > thirtyDays ? end : thirtyDays;
}

/** Returns the seconds from now on to the end of an {@link expiry}, which may be a time of the clock. */
export function secondsLeft(end: number, seconds: number | undefined, server: ServerTime): number {
  return end === seconds ? seconds : end - server.now();
}
