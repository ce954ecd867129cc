import type { Cached } from "./entry.js";

/** Returns whether an entry may be returned at this time. */
export function isFresh(entry: Cached, now: number): boolean {
  return entry.freshUntil > now;
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
