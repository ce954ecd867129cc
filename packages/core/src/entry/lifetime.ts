import type { Cached } from "./entry.js";

/** The time until which an entry is fresh. */
type Fresh = Pick<Cached, "freshUntil">;

/**
 * The times in which a class returns stale values, in milliseconds after the end of an entry's
 * freshness. So they bound the entry's whole age, in every tier.
 */
export interface StaleWindows {
  readonly whileRevalidate: number;
  /** The longer of the two windows: within `whileRevalidate` an error may be replaced, too. */
  readonly ifError: number;
}

/** Returns whether an entry may be returned at this time. */
export function isFresh(entry: Fresh, now: number): boolean {
  return entry.freshUntil > now;
}

/** The milliseconds by which times of one entry in a remote tier may differ between two reads. */
const tolerance = 5;

/** Returns whether a fresh entry is newer than one that is fresh until this time. */
export function endsAfter({ freshUntil }: Fresh, dueUntil: number): boolean {
  return freshUntil > dueUntil + tolerance;
}

/** Returns whether an expired entry may be returned while it is loaded again. */
export function mayRevalidate(
  { freshUntil }: Fresh,
  { whileRevalidate }: StaleWindows,
  now: number,
): boolean {
  return freshUntil + whileRevalidate > now;
}

/** Returns whether an expired entry may be returned instead of the error of a load. */
export function mayReplaceError({ freshUntil }: Fresh, { ifError }: StaleWindows, now: number): boolean {
  return freshUntil + ifError > now;
}

/**
 * Returns the time until which a tier keeps an entry that it holds for so long after the end.
 *
 * @param idleUntil the time until which an unread entry is kept at most. Default: it does not matter
 */
export function keptUntilOf(freshUntil: number, heldFor: number, idleUntil?: number): number {
  const end = freshUntil + heldFor;
  return idleUntil === undefined ? end : Math.min(end, idleUntil);
}

/**
 * Returns whether an entry was stored at most so many milliseconds ago. If a clock was set, an
 * entry may seem to come from the future. Its distance from now counts all the same.
 */
export function isWithin(writtenAt: number, now: number, maxAge: number): boolean {
  return Math.abs(now - writtenAt) <= maxAge;
}

/** The lifetime of a value. */
export interface Lifetime {
  /** The time beyond which no tier keeps the value. */
  readonly limit: number;
  /**
   * Whether the load or the caller set the limit. Then the last tier keeps the value just until
   * `limit`, even if its own ttl is shorter.
   */
  readonly explicit: boolean;
}

/** Returns the time until which a tier with this ttl may return the value. */
export function freshUntilIn(ttl: number, isLastTier: boolean, lifetime: Lifetime, now: number): number {
  return lifetime.explicit && isLastTier ? lifetime.limit : Math.min(lifetime.limit, now + ttl);
}

/** A lifetime with no limit but the tiers' own. */
const tiersOwn: Lifetime = { limit: Number.POSITIVE_INFINITY, explicit: false };

/** Returns the lifetime of a value that is kept for so many milliseconds from now on. */
export function lifetimeOf(ttl: number | undefined, now: number): Lifetime {
  return ttl === undefined ? tiersOwn : { limit: now + ttl, explicit: true };
}
