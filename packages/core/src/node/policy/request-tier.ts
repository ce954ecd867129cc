/** The tier of a single request, as {@link perRequest} returns it. */
export interface RequestTier {
  readonly perRequest: true;
}

/** The name of the tier in statistics, events and explanations. */
export const requestTier: string = "request";

const tier: RequestTier = Object.freeze({ perRequest: true });

/**
 * Makes the first tier of a class whose nodes keep their value for a whole request: within a
 * `requestScope` a node reads the same value, whatever others invalidate. Nothing outlives the
 * request. Outside of a `requestScope` the tier does nothing.
 *
 * @example
 * ```ts
 * const meta: NodeMeta = { name: "user", caches: [perRequest(), { storage: "redis", ttl: "10m" }] };
 * ```
 */
export function perRequest(): RequestTier {
  return tier;
}

export function isRequestTier(given: unknown): given is RequestTier {
  return typeof given === "object" && given !== null && "perRequest" in given && given.perRequest === true;
}
