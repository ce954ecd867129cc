/**
 * Returns the pause before a further attempt, in milliseconds. It doubles from 50 ms to 2 s. A
 * random half is left out, so that many processes do not come back at one moment. For authors of
 * storages.
 *
 * @param attempt the number of attempts that have failed before, from 0
 */
export function backOff(attempt: number, random: () => number = Math.random): number {
  return Math.min(50 * 2 ** attempt, 2000) * (0.5 + random() / 2);
}
