import { shown } from "../../option-checks.js";

/** The time at which a value is loaded again before it expires. */
export type RefreshAheadOptions =
  | {
      /**
       * How eagerly values are loaded again, above 0: twice the number begins twice as early. It is
       * the beta of XFetch.
       */
      readonly beta?: number | undefined;
    }
  | {
      /**
       * The share of a value's lifetime, above 0 and below 1, after which the next read loads it
       * again.
       */
      readonly threshold: number;
    };

/** The loading of values that are about to expire. */
export interface RefreshAheadPolicy {
  /**
   * Loads a value again in the background before it expires, so that no reader waits for it. A read
   * near the expiry does so: by chance, the more likely the nearer it is and the longer the class's
   * loads take (XFetch of Vattani, Chierichetti and Lowenstein, VLDB 2015), or after a share of the
   * lifetime. `true` is `{ beta: 1 }`. Default: not at all.
   */
  readonly refreshAhead?: boolean | RefreshAheadOptions | undefined;
}

/** The checked option: one of its numbers is set. */
export interface ResolvedRefreshAhead {
  readonly beta: number | undefined;
  readonly threshold: number | undefined;
}

/** @throws ConfigurationError `CACHEME_INVALID_META` */
export function resolveRefreshAhead(
  { refreshAhead }: RefreshAheadPolicy,
  refuse: (what: string) => never,
): ResolvedRefreshAhead | undefined {
  if (refreshAhead === undefined || refreshAhead === false) return undefined;
  if (refreshAhead === true) return { beta: 1, threshold: undefined };
  if (typeof refreshAhead !== "object" || refreshAhead === null)
    refuse(`has \`refreshAhead: ${shown(refreshAhead)}\`: give true, { beta } or { threshold }.`);
  const unknown = Object.keys(refreshAhead).find((option) => option !== "beta" && option !== "threshold");
  if (unknown !== undefined)
    refuse(`has an unknown option ${shown(unknown)} in \`refreshAhead\`. Known are beta and threshold.`);
  const { beta, threshold }: { readonly beta?: unknown; readonly threshold?: unknown } = refreshAhead;
  if (threshold === undefined) return { beta: aboveZero(beta ?? 1, refuse), threshold: undefined };
  if (beta !== undefined) refuse("has both a beta and a threshold in `refreshAhead`: give one of them.");
  if (typeof threshold !== "number" || !(threshold > 0 && threshold < 1))
    return refuse(`has \`refreshAhead.threshold: ${shown(threshold)}\`: give a number above 0 and below 1.`);
  return { beta: undefined, threshold };
}

function aboveZero(beta: unknown, refuse: (what: string) => never): number {
  if (typeof beta === "number" && beta > 0 && beta < Number.POSITIVE_INFINITY) return beta;
  return refuse(`has \`refreshAhead.beta: ${shown(beta)}\`: give a number above 0.`);
}
