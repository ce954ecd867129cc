/**
 * Times as a server takes them: whole seconds, relative up to 30 days, beyond that a time of its own clock. The server's
 * clock ticks once a second and counts the second that has begun as a whole one: an item of `n` seconds is kept for more
 * than `n - 1` and at most `n`.
 */

const thirtyDays = 30 * 86_400;

/** The server's time is a signed number of 32 bits. */
const lastSecond = 2 ** 31 - 1;

/** Seconds of a ttl: rounded up, so a record is never returned a whole second after its ttl, and may go one before. */
export function ttlSeconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000));
}

/** Seconds of a lease: rounded up and one more, since a lease must not end before its time. */
export function leaseSeconds(milliseconds: number): number {
  return Math.min(Math.ceil(milliseconds / 1000) + 1, thirtyDays);
}

/**
 * The token of the `T` flag. A record without a ttl gets the last second that a server knows, in January 2038: it has to
 * have an end, since its other times are told from there.
 *
 * @param seconds `undefined` for as long as can be said
 * @param now answers the server's time
 */
export function expiry(seconds: number | undefined, now: () => number): number {
  if (seconds !== undefined && seconds <= thirtyDays) return seconds;
  const time = now();
  const end = seconds === undefined ? lastSecond : Math.min(time + seconds, lastSecond);
  // A server whose clock is near its last second: as long as can be said then.
  return end - time > thirtyDays ? end : thirtyDays;
}
