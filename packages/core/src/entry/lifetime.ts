import type { Cached } from "./entry.js";

/** Whether an entry may be returned at this time. */
export function isFresh(entry: Cached, now: number): boolean {
  return entry.freshUntil > now;
}

/**
 * Whether an entry was stored at most so many milliseconds ago. One that seems to come from the future, because a clock was
 * set, is as far from now as it seems.
 */
export function isWithin(writtenAt: number, now: number, maxAge: number): boolean {
  return Math.abs(now - writtenAt) <= maxAge;
}

/** How long a value may be kept. */
export interface Lifetime {
  /** No tier keeps the value beyond this time. */
  readonly limit: number;
  /** Whether the last tier keeps the value just until `limit`, even if its own ttl is shorter: the load or the caller said so. */
  readonly explicit: boolean;
}

/** The time until which a tier with this ttl may return the value. */
export function freshUntilIn(ttl: number, isLastTier: boolean, lifetime: Lifetime, now: number): number {
  return lifetime.explicit && isLastTier ? lifetime.limit : Math.min(lifetime.limit, now + ttl);
}

/** No limit but the tiers' own. */
const tiersOwn: Lifetime = { limit: Number.POSITIVE_INFINITY, explicit: false };

/** The lifetime of a value that is to be kept for so many milliseconds from now on. */
export function lifetimeOf(ttl: number | undefined, now: number): Lifetime {
  return ttl === undefined ? tiersOwn : { limit: now + ttl, explicit: true };
}
