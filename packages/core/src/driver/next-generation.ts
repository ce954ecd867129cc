import type { Generation } from "../storage/generations.js";

/**
 * Returns the generation that replaces another one. The clock may have been set back; the times of
 * generations never are. For authors of storages.
 *
 * @param now milliseconds since the epoch, on the storage's clock
 */
export function nextGeneration(id: string, now: number, before: Generation | undefined): Generation {
  return { id, at: Math.max(now, before?.at ?? 0) };
}

/**
 * Returns how long `ensure` keeps a generation: a quarter longer than the caller asked for, so that
 * not every later call has something to write. For authors of storages.
 */
export function lastingTtl(ttl: number | undefined): number | undefined {
  return ttl === undefined ? undefined : ttl + Math.floor(ttl / 4);
}
