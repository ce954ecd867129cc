import { type Duration, milliseconds } from "../../duration.js";
import type { StorageName } from "../register.js";
import { isRequestTier, type RequestTier, requestTier } from "./request-tier.js";

/** The options of a class about the places of its values. */
export interface CachesPolicy {
  /**
   * The tiers that keep the values, nearest first: read from left to right, filled back from right
   * to left. Default: one bounded memory storage of the process, without ttl. An empty list keeps
   * nothing; concurrent reads still share one load. `perRequest()` may be the first tier.
   */
  readonly caches?: readonly (CacheTier | RequestTier)[] | undefined;
}

/** A tier: a place where a class's values are kept. */
export interface CacheTier {
  /** The name that the storage was registered under. */
  readonly storage: StorageName;
  /**
   * The time that a value is kept here after it was loaded. Default: until it is evicted or
   * invalidated.
   */
  readonly ttl?: Duration | undefined;
}

/** The checked options. */
export interface ResolvedCaches {
  /** The tiers; `undefined` for a class without caches, which uses the default storage. */
  readonly caches: readonly { readonly storage: string; readonly ttl: number | undefined }[] | undefined;
  /** Whether a request keeps the values that it reads. */
  readonly isPerRequest: boolean;
}

const knownTierOptions: ReadonlySet<string> = new Set<keyof CacheTier>(["storage", "ttl"]);

/** @throws ConfigurationError `CACHEME_INVALID_META` or `CACHEME_INVALID_DURATION` */
export function resolveCaches(
  meta: CachesPolicy,
  node: string,
  refuse: (what: string) => never,
): ResolvedCaches {
  const { caches, isPerRequest } = splitTiers(meta.caches, refuse);
  return {
    caches: caches === undefined ? undefined : resolveTiers(caches, node, refuse),
    isPerRequest,
  };
}

/** The tiers of a class, with the request's apart. */
interface SplitTiers {
  readonly isPerRequest: boolean;
  /** The other tiers; `undefined` for a class without `caches`. */
  readonly caches: readonly CacheTier[] | undefined;
}

/** Takes the request's tier out of the list, of which it must be the first. */
function splitTiers(caches: unknown, refuse: (what: string) => never): SplitTiers {
  if (!Array.isArray(caches)) return { isPerRequest: false, caches: caches as undefined }; // Refused later, unless undefined.
  const place = caches.findIndex(isRequestTier);
  if (place === -1) return { isPerRequest: false, caches };
  if (place > 0)
    refuse("has `perRequest()` behind another cache, which would hide it: put it first in `caches`.");
  const others = caches.slice(1);
  if (others.some(isRequestTier)) refuse("has `perRequest()` twice in `caches`: once is enough.");
  if (others.some((other) => (other as CacheTier | undefined)?.storage === requestTier)) {
    refuse(
      `has \`perRequest()\` and a storage named "${requestTier}", which statistics could not tell apart: give the storage another name.`,
    );
  }
  return { isPerRequest: true, caches: others };
}

function resolveTiers(
  tiers: readonly CacheTier[],
  node: string,
  refuse: (what: string) => never,
): { storage: string; ttl: number | undefined }[] {
  if (!Array.isArray(tiers)) refuse("has `caches` that are not a list: write [{ storage, ttl }].");
  const seen = new Set<string>();
  return tiers.map((tier) => {
    const { storage, ttl } = tier ?? {};
    if (typeof storage !== "string" || storage === "") {
      refuse("has a cache without the name of a storage: write { storage, ttl }.");
    }
    for (const option of Object.keys(tier)) {
      if (!knownTierOptions.has(option)) {
        refuse(
          `has an unknown option "${option}" at its cache "${storage}". Known are ${[...knownTierOptions].join(", ")}.`,
        );
      }
    }
    if (seen.has(storage)) refuse(`names the storage "${storage}" twice: once is enough.`);
    seen.add(storage);
    return {
      storage,
      ttl:
        ttl === undefined
          ? undefined
          : milliseconds(ttl, `ttl of storage "${storage}" in node "${node}"`, { node, storage }),
    };
  });
}
