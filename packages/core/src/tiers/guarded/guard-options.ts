import { type Duration, milliseconds } from "../../duration.js";
import { optionError, refuseUnknownOptions, shown, timerMilliseconds } from "../../option-checks.js";
import type { LocalStorage } from "../../storage/local-storage.js";
import type { RemoteStorage } from "../../storage/remote-storage.js";
import type { AfterRestart } from "./restarts.js";

/** When the circuit breaker of a storage opens and closes. */
export interface BreakerOptions {
  /**
   * The number of unanswered calls that opens the breaker, if they are more than half of the last
   * calls: with 5, five of the last nine. Default 5.
   */
  readonly failures?: number | undefined;
  /**
   * The first pause before the storage is tried again. It doubles each time that the storage does
   * not answer. A random half may be left out. Default `"1s"`.
   */
  readonly pause?: Duration | undefined;
  /** The longest such pause. Default `"30s"`. */
  readonly longestPause?: Duration | undefined;
}

/** How the core protects its callers from a remote storage in trouble. */
export interface GuardOptions {
  /**
   * The longest that a caller waits for one call to the storage, from the moment when the call is
   * sent. It holds even if the driver never answers. `false` leaves it to the driver. Default
   * `"250ms"`, or the storage's `commandTimeout` if you gave it one.
   */
  readonly deadline?: Duration | false | undefined;
  /**
   * The circuit breaker. While it is open, calls fail at once, and a ping in the background tries
   * the storage again. `false` turns the breaker off.
   */
  readonly breaker?: BreakerOptions | false | undefined;
  /**
   * Whether to trust entries from before a restart of the server, or before a fail-over. Such a
   * server may bring back what was removed. With `"distrust"` they are misses. Only a storage whose
   * server tells its runs apart takes `"distrust"`, such as Redis. Default `"trust"`.
   */
  readonly afterRestart?: AfterRestart | undefined;
}

/** The checked {@link GuardOptions}, in milliseconds. */
export interface GuardSettings {
  readonly deadline: number | undefined;
  readonly breaker: BreakerSettings | undefined;
  readonly afterRestart: AfterRestart;
}

export interface BreakerSettings {
  readonly failures: number;
  readonly pause: number;
  readonly longestPause: number;
}

export const defaultGuard: GuardSettings = {
  deadline: 250,
  breaker: { failures: 5, pause: 1_000, longestPause: 30_000 },
  afterRestart: "trust",
};

/**
 * @param commandTimeout the driver's own deadline, if it was given beside an address
 * @param storage may have the driver's own deadline; see `RemoteStorage.deadline`
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`
 */
export function guardSettings(
  name: string,
  { deadline, breaker, afterRestart = "trust" }: GuardOptions,
  commandTimeout: Duration | undefined,
  storage: LocalStorage | RemoteStorage | string,
): GuardSettings {
  const where = `of registerStorage("${name}", …)`;
  const chosen = typeof storage !== "string" && storage?.kind === "remote" ? storage.deadline : undefined;
  if (afterRestart !== "trust" && afterRestart !== "distrust") {
    throw optionError(
      `The option afterRestart ${where} is ${shown(afterRestart)}. Give "trust" or "distrust".`,
    );
  }
  return {
    deadline: deadlineOf(deadline, commandTimeout ?? chosen, where),
    breaker: breakerOf(breaker, where),
    afterRestart,
  };
}

function deadlineOf(
  deadline: Duration | false | undefined,
  commandTimeout: Duration | undefined,
  where: string,
): number | undefined {
  if (deadline === false) return undefined;
  if (deadline !== undefined) return timerMilliseconds(deadline, `option deadline ${where}`);
  if (commandTimeout === undefined) return defaultGuard.deadline;
  return milliseconds(commandTimeout, `option commandTimeout ${where}`);
}

function breakerOf(options: BreakerOptions | false = {}, where: string): BreakerSettings | undefined {
  if (options === false) return undefined;
  refuseUnknownOptions(options, ["failures", "pause", "longestPause"], `The option breaker ${where}`);
  const { failures = 5, pause = 1_000, longestPause = 30_000 } = options;
  if (!Number.isInteger(failures) || failures < 1 || failures > 1_000) {
    throw optionError(
      `The option breaker.failures ${where} is ${shown(failures)}. Give a whole number from 1 to 1000.`,
    );
  }
  const first = timerMilliseconds(pause, `option breaker.pause ${where}`);
  const longest = timerMilliseconds(longestPause, `option breaker.longestPause ${where}`);
  return { failures, pause: first, longestPause: Math.max(first, longest) };
}
