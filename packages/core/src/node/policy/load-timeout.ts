import { type Duration, milliseconds } from "../../duration.js";
import { shown } from "../../option-checks.js";

/** The times that a load may take. */
export interface LoadTimeouts {
  /**
   * The time after which readers get a stale value, if a tier has one within the class's
   * `staleWhileRevalidate` or `staleIfError`. The load goes on in the background. Default: readers
   * wait for the load.
   */
  readonly soft?: Duration | undefined;
  /** The time after which the load fails. `false` sets no limit. Default: 30 seconds. */
  readonly hard?: Duration | false | undefined;
}

/** The limits on the duration of a load. */
export interface LoadTimeoutPolicy {
  /**
   * The longest time that a load may take. A longer load fails with `CACHEME_LOAD_TIMEOUT`, and its
   * signal aborts. `false` sets no limit: a load that never settles then keeps its readers waiting
   * for ever. With `{ soft, hard }`, readers get a stale value after the soft time, and the load
   * fails after the hard time. Default: 30 seconds.
   */
  readonly loadTimeout?: Duration | false | LoadTimeouts | undefined;
}

/** The checked limits, in milliseconds. */
export interface ResolvedLoadTimeout {
  /** `undefined` without a limit. */
  readonly loadTimeout: number | undefined;
  /** `undefined` if readers wait for the load. */
  readonly softTimeout: number | undefined;
}

const defaultTimeout: Duration = "30s";
const known: ReadonlySet<string> = new Set<keyof LoadTimeouts>(["soft", "hard"]);

/**
 * @param returnsStale whether the class returns stale values
 * @throws ConfigurationError `CACHEME_INVALID_DURATION`, `CACHEME_INVALID_META`
 */
export function resolveLoadTimeout(
  { loadTimeout }: LoadTimeoutPolicy,
  node: string,
  returnsStale: boolean,
  refuse: (what: string) => never,
): ResolvedLoadTimeout {
  const time = (given: Duration, option: string) =>
    milliseconds(given, `${option} of node "${node}"`, { node });
  if (loadTimeout === undefined || loadTimeout === false || !isPair(loadTimeout)) {
    const given = loadTimeout === undefined ? defaultTimeout : loadTimeout;
    const limit = given === false ? undefined : time(given, "loadTimeout");
    return { loadTimeout: limit, softTimeout: undefined };
  }
  const unknown = Object.keys(loadTimeout).find((option) => !known.has(option));
  if (unknown !== undefined)
    refuse(`has an unknown option ${shown(unknown)} in \`loadTimeout\`. Known are soft and hard.`);
  const { soft, hard = defaultTimeout } = loadTimeout;
  const limit = hard === false ? undefined : time(hard, "loadTimeout.hard");
  if (soft === undefined) return { loadTimeout: limit, softTimeout: undefined };
  if (!returnsStale) {
    refuse(
      "has `loadTimeout.soft` and no stale values to return: set `staleIfError` or `staleWhileRevalidate`, too.",
    );
  }
  const softTimeout = time(soft, "loadTimeout.soft");
  if (limit !== undefined && softTimeout >= limit)
    refuse(`has a \`loadTimeout.soft\` of ${softTimeout} ms, which is not below the hard ${limit} ms.`);
  return { loadTimeout: limit, softTimeout };
}

function isPair(given: Duration | LoadTimeouts): given is LoadTimeouts {
  return typeof given === "object" && given !== null && Object.keys(given).length > 0;
}
