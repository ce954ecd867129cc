import { type Duration, milliseconds } from "../../duration.js";
import { refuseUnknownOptions, shown } from "../../option-checks.js";
import { optionOf, type PolicyOwner } from "./refuse.js";

/** The option that repeats failed loads. */
export interface RetryPolicy {
  /**
   * Repeats a failed `load` or `loadAll`, after pauses that grow and are partly random. A number is
   * the option `times`. Only the failed nodes of a `loadAll` are loaded again. The load timeout
   * covers all the calls. `getSync` does not repeat. Default: no call is repeated.
   */
  readonly retry?: number | RetryOptions | undefined;
}

/** The options of {@link RetryPolicy.retry}. */
export interface RetryOptions {
  /** The most calls after the first one. */
  readonly times: number;
  /** About the length of the first pause. Default: 100 milliseconds. */
  readonly initialDelay?: Duration | undefined;
  /** The longest pause. Default: 5 seconds. */
  readonly maxDelay?: Duration | undefined;
  /**
   * Returns whether to call again after this error. Default: after each error but those that
   * Cacheme makes.
   */
  readonly when?: ((error: unknown) => boolean) | undefined;
}

/** The checked options; the pauses are in milliseconds. */
export interface ResolvedRetry {
  readonly times: number;
  readonly initialDelay: number;
  readonly maxDelay: number;
  readonly when: ((error: unknown) => boolean) | undefined;
}

const optionNames = ["times", "initialDelay", "maxDelay", "when"] satisfies (keyof RetryOptions)[];

/** Returns the checked option; `undefined` if the class repeats no load. */
export function resolveRetry({ retry }: RetryPolicy, owner: PolicyOwner): ResolvedRetry | undefined {
  if (retry === undefined || retry === 0) return undefined;
  const options = typeof retry === "number" ? { times: retry } : retry;
  refuseUnknownOptions(options, optionNames, `The option retry of node "${owner.node}"`);
  const { times, initialDelay = "100ms", maxDelay = "5s", when } = options;
  if (!Number.isInteger(times) || times < 0) {
    owner.refuse(`has \`retry\` with \`times: ${shown(times)}\`: give a whole number of at least 0.`);
  }
  if (when !== undefined && typeof when !== "function") {
    owner.refuse(`has \`retry\` with \`when: ${shown(when)}\`: give a function of the error.`);
  }
  return {
    times,
    initialDelay: milliseconds(initialDelay, ...optionOf("retry.initialDelay", owner)),
    maxDelay: milliseconds(maxDelay, ...optionOf("retry.maxDelay", owner)),
    when,
  };
}
