/**
 * Returns a ttl without a random part of it. A ttl without end stays without end.
 *
 * @param jitter the largest share that is left out, from 0 to 1
 */
export function shortened(ttl: number, jitter: number, random: () => number): number {
  if (jitter === 0 || ttl === Number.POSITIVE_INFINITY) return ttl;
  return Math.max(1, Math.round(ttl * (1 - jitter * random())));
}
