import { type Duration, milliseconds } from "../../duration.js";
import { CachemeError } from "../../errors.js";
import { nodeLabel } from "../key.js";
import type { Node } from "../node.js";
import { callPolicy } from "./failure.js";
import { optionOf, type PolicyOwner } from "./refuse.js";
import type { Bivariant } from "./retention.js";

/** Computes the time that an error is kept; `false` if it is not kept. */
export type ErrorTtl = Bivariant<(error: unknown, node: Node) => Duration | false>;

/** The option that keeps the errors of loads. */
export interface ErrorTtlPolicy {
  /**
   * The time for which the error of a failed load is kept, so that the source is not asked again
   * meanwhile. A function decides for each error, and `false` keeps it out.
   *
   * Readers of the class then get a {@link CachedError}: the name, the message and the code of the
   * error, in each process. It is not kept if another write, or a value that may still be returned,
   * is in its place. Cacheme's own errors are not kept, but for `CACHEME_LOAD_TIMEOUT`. A remote tier
   * keeps errors only if the class uses leases. Default: no error is kept.
   */
  readonly errorTtl?: Duration | ErrorTtl | undefined;
}

/** The checked option. */
export class ErrorRetention {
  readonly #ttl: number | ErrorTtl;

  constructor(ttl: number | ErrorTtl) {
    this.#ttl = ttl;
  }

  /**
   * Returns the time for which an error is kept, in milliseconds; `undefined` if it is not kept.
   *
   * @throws ConfigurationError `CACHEME_POLICY_FAILED` or `CACHEME_INVALID_DURATION`
   */
  ttlOf(error: unknown, node: Node, name: string, key: string): number | undefined {
    if (error instanceof CachemeError && error.code !== "CACHEME_LOAD_TIMEOUT") return undefined;
    const ttl = this.#ttl;
    if (typeof ttl !== "function") return ttl;
    const duration = callPolicy("errorTtl", () => ttl(error, node), name, key);
    if (duration === false) return undefined;
    return milliseconds(duration, `errorTtl computed for ${nodeLabel(name, key)}`, { node: name, key });
  }
}

/** Returns the checked option; `undefined` for a class that keeps no errors. */
export function resolveErrorTtl(
  { errorTtl }: ErrorTtlPolicy,
  owner: PolicyOwner,
): ErrorRetention | undefined {
  if (errorTtl === undefined) return undefined;
  return new ErrorRetention(
    typeof errorTtl === "function" ? errorTtl : milliseconds(errorTtl, ...optionOf("errorTtl", owner)),
  );
}
