import type { StoredRecord } from "../storage/remote-storage.js";

/**
 * About 31,700 years. Added to today's time it is still a whole number, and a timestamp of every
 * database.
 */
const longest = 1e15;

/**
 * Rounds a ttl down to whole milliseconds, from 1 to 10^15 (31,700 years). A record must not
 * outlive the tier that it came from. For authors of storages.
 *
 * @returns `undefined` for `undefined`, which keeps a record until it is removed
 */
export function wholeMilliseconds(milliseconds: number): number;
export function wholeMilliseconds(milliseconds: number | undefined): number | undefined;
export function wholeMilliseconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : whole(milliseconds, 1);
}

/**
 * Returns the records with whole times. It is the same list if they are whole already, as the
 * core's are.
 */
export function withWholeTimes<R extends StoredRecord>(records: readonly R[]): readonly R[] {
  for (const { ttl, freshFor } of records) {
    if (!isWhole(ttl, 1) || !isWhole(freshFor, 0)) return records.map(rounded);
  }
  return records;
}

function rounded<R extends StoredRecord>(record: R): R {
  const { ttl, freshFor } = record;
  return {
    ...record,
    ttl: wholeMilliseconds(ttl),
    freshFor: freshFor === undefined ? undefined : whole(freshFor, 0),
  };
}

function whole(milliseconds: number, least: number): number {
  return Math.min(Math.max(least, Math.floor(milliseconds)), longest);
}

function isWhole(milliseconds: number | undefined, least: number): boolean {
  if (milliseconds === undefined) return true;
  return Number.isInteger(milliseconds) && milliseconds >= least && milliseconds <= longest;
}
