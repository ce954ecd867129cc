import type { KeyPattern } from "cacheme/driver";
import { forever, type RecordDocument } from "./record.js";

/** A filter, an update or a projection, as the server reads it. */
export type Command = Readonly<Record<string, unknown>>;

/** One statement of a `bulkWrite`. */
export interface UpdateStatement {
  readonly updateOne: { readonly filter: Command; readonly update: Command; readonly upsert?: boolean };
}

/** Whether a length from a moment on is not over. A moment that is not there is over: `null` is less than any date. */
function running(moment: string, length: string): Command {
  return { $lt: ["$$NOW", { $add: [moment, length] }] };
}

/** There is a value, or a generation, and it has not expired. */
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
 * What a removal removes, and counts: values that are alive, and leases. An expired value without a lease stays for the
 * sweep, so that it is not counted; a lease goes in any case, so that no fill comes after the removal.
 */
export function removable(keys: readonly string[]): Command {
  return { ...anyOf(keys), $or: [{ lease: { $exists: true } }, { $expr: isAlive }] };
}

/** Neither somebody's lease nor fresh bytes are in the way of a lease. */
export function leasable(key: string): Command {
  return { _id: key, $expr: { $not: [{ $or: [isLeased, isFresh] }] } };
}

export function heldBy(key: string, token: string): Command {
  return { _id: key, "lease.token": token };
}

/**
 * A page of the keys that match the pattern's outline, after the last key of the page before. The server's regular
 * expressions backtrack, so whoever asks filters the answer by the whole pattern. The two conditions on the key are apart: not every
 * server minds what stands beside a `$regex`.
 */
export function page(pattern: KeyPattern, after: string | undefined): Command {
  const from = after === undefined ? { $gte: pattern.prefix } : { $gt: after };
  return {
    $and: [{ _id: from }, { _id: { $regex: expression(pattern), $options: "s" } }],
    $expr: { $or: [isAlive, isLeased] },
  };
}

/** For a prefix without the `.*$` behind it, which the server need not look at; it takes its index for the rest, too. */
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

/** Puts a value under a key, whatever was there. */
export function storing(
  value: Pick<RecordDocument, "bytes" | "freshFor" | "cachemeSweepAt" | "ttl"> & {
    readonly filledBy?: string;
  },
): Command {
  const gone =
    value.filledBy === undefined
      ? { lease: "", generation: "", filledBy: "" }
      : { lease: "", generation: "" };
  return { $set: value, $currentDate: { at: true }, $unset: gone };
}

export function leasing(token: string, duration: number, sweepAt: Date): Command {
  return {
    $set: { "lease.token": token, "lease.duration": duration },
    $currentDate: { "lease.at": true },
    $max: { cachemeSweepAt: sweepAt },
  };
}

export const releasing: Command = { $unset: { lease: "" } };

/** There is no generation under the key, or it has expired. */
export function generationMissing(key: string): Command {
  return { _id: key, $or: [{ "generation.id": { $exists: false } }, { $expr: { $not: [isAlive] } }] };
}

/** What is under the key is alive, and would be over in less than so many milliseconds. */
export function shorterThan(key: string, length: number): Command {
  const ends = { $lt: [{ $add: ["$at", "$ttl"] }, { $add: ["$$NOW", length] }] };
  return { _id: key, ttl: { $lt: forever }, $expr: { $and: [isAlive, ends] } };
}

export function prolonging(ttl: number, sweepAt: Date): Command {
  return { $set: { ttl, freshFor: ttl, cachemeSweepAt: sweepAt }, $currentDate: { at: true } };
}

/** Puts a generation under a key, whatever was there, and leaves the times of those before: see `GenerationDocument`. */
export function bumping(id: string, ttl: number, sweepAt: Date): Command {
  return {
    $set: { "generation.id": id, ttl, freshFor: ttl, cachemeSweepAt: sweepAt },
    $currentDate: { at: true, [`generation.times.${id}`]: true },
    $unset: { bytes: "", lease: "", filledBy: "" },
  };
}

export function pruning(ids: readonly string[], floor: Date): Command {
  const gone = Object.fromEntries(ids.map((id) => [`generation.times.${id}`, ""]));
  return { $max: { "generation.floor": floor }, $unset: gone };
}
