import type { KeyPattern, StoredRecord } from "cacheme/driver";
import { forever, lengthOf, type RecordDocument } from "./record.js";
import type { ServerClock } from "./server-clock.js";

/** A filter, an update or a projection, as the server reads it. */
export type Command = Readonly<Record<string, unknown>>;

/** One statement of a `bulkWrite`. */
export interface UpdateStatement {
  readonly updateOne: { readonly filter: Command; readonly update: Command; readonly upsert?: boolean };
}

/** Whether a length of time has not passed since a moment, as if there is none: `null` is less. */
function running(moment: string, length: string): Command {
  return { $lt: ["$$NOW", { $add: [moment, length] }] };
}

/** Documents with a value or a generation that has not expired. */
const isAlive: Command = running("$at", "$ttl");
const isFresh: Command = running("$at", "$freshFor");
const isLeased: Command = running("$lease.at", "$lease.duration");

export function anyOf(keys: readonly string[]): Command {
  return keys.length === 1 ? { _id: keys[0] } : { _id: { $in: keys } };
}

export function alive(keys: readonly string[]): Command {
  return { ...anyOf(keys), $expr: isAlive };
}

export function fresh(keys: readonly string[]): Command {
  return { ...anyOf(keys), $expr: isFresh };
}

/**
 * Documents that a removal removes and counts: values that have not expired, and leases. An expired
 * value without a lease stays for the sweep, so that it is not counted. A lease is removed in any
 * case, so that no fill follows the removal.
 */
export function removable(keys: readonly string[]): Command {
  return { ...anyOf(keys), $or: [{ lease: { $exists: true } }, { $expr: isAlive }] };
}

/** The document of a key without a running lease, and without fresh bytes that the caller has not seen. */
export function leasable(key: string, seen: Uint8Array | undefined): Command {
  const isValid = seen === undefined ? isFresh : { $and: [isFresh, { $ne: ["$bytes", seen] }] };
  return { _id: key, $expr: { $not: [{ $or: [isLeased, isValid] }] } };
}

export function heldBy(key: string, token: string): Command {
  return { _id: key, "lease.token": token };
}

/**
 * The keys that match the pattern's outline, after the last key of the page before. The storage
 * filters the answer by the whole pattern, because the server's regular expressions backtrack. The
 * two conditions on the key are separate, because some servers ignore an operator beside a
 * `$regex`.
 */
export function page(pattern: KeyPattern, after: string | undefined): Command {
  const from = after === undefined ? { $gte: pattern.prefix } : { $gt: after };
  return {
    $and: [{ _id: from }, { _id: { $regex: expression(pattern), $options: "s" } }],
    $expr: { $or: [isAlive, isLeased] },
  };
}

/** Returns a prefix without its `.*$`: the server then uses its index for the rest of each key. */
function expression(pattern: KeyPattern): string {
  const whole = pattern.outline.regExp();
  return pattern.isPrefix ? whole.slice(0, -".*$".length) : whole;
}

/** Documents without a running lease. */
export const unleased: Command = { $expr: { $not: [isLeased] } };

/** Documents with neither a value nor a lease, which the sweep removes. */
export function expired(ids: readonly string[]): Command {
  return { ...anyOf(ids), $expr: { $not: [{ $or: [isAlive, isLeased] }] } };
}

/** The mark of a call: see `RecordDocument.changedBy`. */
export type Mark = Pick<RecordDocument, "changedBy">;

/** Stores a value under a key, and replaces everything else. */
export function storing(
  clock: ServerClock,
  { bytes, ttl, freshFor }: StoredRecord,
  mark: Mark = {},
): Command {
  const kept = lengthOf(ttl);
  const fresh = Math.min(kept, lengthOf(freshFor));
  const gone = { lease: "", generation: "", ...(mark.changedBy === undefined && { changedBy: "" }) };
  return {
    $set: { bytes, ttl: kept, freshFor: fresh, cachemeSweepAt: clock.sweepTime(kept), ...mark },
    $currentDate: { at: true },
    $unset: gone,
  };
}

export function leasing(clock: ServerClock, token: string, milliseconds: number): Command {
  const duration = lengthOf(milliseconds);
  return {
    $set: { "lease.token": token, "lease.duration": duration },
    $currentDate: { "lease.at": true },
    $max: { cachemeSweepAt: clock.sweepTime(duration) },
  };
}

/** Lengthens a value's life, which began with `at`. @param isFresh whether it is fresh to its end */
export function touching(clock: ServerClock, ttl: number, left: number, isFresh: boolean): Command {
  return { $max: { ttl, cachemeSweepAt: clock.sweepTime(left), ...(isFresh && { freshFor: ttl }) } };
}

export function releasing(mark: Mark): Command {
  return { $unset: { lease: "" }, ...(mark.changedBy !== undefined && { $set: mark }) };
}

/** The document of a key without a generation, or with one that has expired. */
export function generationMissing(key: string): Command {
  return { _id: key, $or: [{ "generation.id": { $exists: false } }, { $expr: { $not: [isAlive] } }] };
}

/** The document of a key if it expires in less than so many milliseconds, but has not expired. */
export function shorterThan(key: string, length: number): Command {
  const ends = { $lt: [{ $add: ["$at", "$ttl"] }, { $add: ["$$NOW", length] }] };
  return { _id: key, ttl: { $lt: forever }, $expr: { $and: [isAlive, ends] } };
}

export function prolonging(clock: ServerClock, ttl: number): Command {
  const cachemeSweepAt = clock.sweepTime(ttl);
  return { $set: { ttl, freshFor: ttl, cachemeSweepAt }, $currentDate: { at: true } };
}

/** Stores a generation, and keeps the times of those before it: see `GenerationDocument`. */
export function bumping(clock: ServerClock, id: string, ttl: number): Command {
  return {
    $set: { "generation.id": id, ttl, freshFor: ttl, cachemeSweepAt: clock.sweepTime(ttl) },
    $currentDate: { at: true, [`generation.times.${id}`]: true },
    $unset: { bytes: "", lease: "", changedBy: "" },
  };
}

export function pruning(ids: readonly string[], floor: Date): Command {
  const gone = Object.fromEntries(ids.map((id) => [`generation.times.${id}`, ""]));
  return { $max: { "generation.floor": floor }, $unset: gone };
}
