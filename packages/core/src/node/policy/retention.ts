import { type Duration, milliseconds } from "../../duration.js";
import { shown } from "../../option-checks.js";
import { nodeLabel } from "../key.js";
import type { Node } from "../node.js";
import { callPolicy, policyFailure } from "./failure.js";
import { optionOf, type PolicyOwner } from "./refuse.js";

/**
 * Computes the time that a value is kept. Annotate the parameters with your own types.
 *
 * @example
 * ```ts
 * const ttl: ValueTtl = (token: Token) => token.expiresIn * 1000;
 * ```
 */
export type ValueTtl = Bivariant<(value: unknown, node: Node) => Duration>;

/** Decides whether a loaded value is stored. Annotate the parameters with your own types. */
export type ShouldCache = Bivariant<(value: unknown, node: Node) => boolean>;

/** A function whose parameters may be narrower, because the class knows its own values. */
export type Bivariant<F extends (...args: never[]) => unknown> = {
  call(...args: Parameters<F>): ReturnType<F>;
}["call"];

/** Options that decide whether a value is stored, and how long it is kept. */
export interface RetentionPolicy {
  /**
   * The time that a value is kept after it was stored, or a function that computes it from the value.
   * The last tier keeps the value for just as long, the tiers before it for at most as long. The
   * `ttl` of a load's context and of `set` come first. Default: the tiers' own.
   */
  readonly ttl?: Duration | ValueTtl | undefined;
  /**
   * The share of a ttl, from 0 to 1, by which it may be shortened at random. Entries that were stored
   * together then do not expire together. With 0.2, a ttl of 10 minutes becomes 8 to 10 minutes. It
   * applies to every ttl of the class. Default: 0.
   */
  readonly jitter?: number | undefined;
  /**
   * The ttl of the values `null` and `undefined`, so that the absence of a thing is noticed to be
   * over sooner. The `ttl` of a load's context and of `set` come first. Default: that of other
   * values.
   */
  readonly negativeTtl?: Duration | undefined;
  /**
   * Returns whether a loaded value is stored. Its readers get the value in any case. A `set` stores
   * its value without asking. Default: each value is stored.
   */
  readonly shouldCache?: ShouldCache | undefined;
}

/** The checked options of {@link RetentionPolicy}, for a class with at least one of them. */
class Retention {
  readonly #ttl: number | ValueTtl | undefined;
  readonly #negativeTtl: number | undefined;
  readonly #shouldCache: ShouldCache | undefined;

  constructor(
    ttl: number | ValueTtl | undefined,
    negativeTtl: number | undefined,
    shouldCache: ShouldCache | undefined,
  ) {
    this.#ttl = ttl;
    this.#negativeTtl = negativeTtl;
    this.#shouldCache = shouldCache;
  }

  /**
   * Returns whether the loaded value is stored.
   *
   * @throws ConfigurationError `CACHEME_POLICY_FAILED` if the class's function throws, or returns
   *   anything but a boolean
   */
  admits(value: unknown, node: Node, name: string, key: string): boolean {
    const shouldCache = this.#shouldCache;
    if (shouldCache === undefined) return true;
    const answer: unknown = callPolicy("shouldCache", () => shouldCache(value, node), name, key);
    if (typeof answer === "boolean") return answer;
    throw policyFailure("shouldCache", `returned ${shown(answer)} instead of true or false`, name, key);
  }

  /**
   * Returns the ttl of the value in milliseconds; `undefined` for that of the tiers.
   *
   * @throws ConfigurationError `CACHEME_POLICY_FAILED` if the class's function throws;
   *   `CACHEME_INVALID_DURATION` if it returns anything but a duration
   */
  ttlOf(value: unknown, node: Node, name: string, key: string): number | undefined {
    if (this.#negativeTtl !== undefined && (value === null || value === undefined)) return this.#negativeTtl;
    const ttl = this.#ttl;
    if (typeof ttl !== "function") return ttl;
    const duration = callPolicy("ttl", () => ttl(value, node), name, key);
    return milliseconds(duration, `ttl computed for ${nodeLabel(name, key)}`, { node: name, key });
  }
}

/** The class's checked options of this kind. */
export interface ResolvedRetention {
  /** The options on whether and how long a value is kept; `undefined` without any. */
  readonly retention: Retention | undefined;
  /** The share of each ttl that may be left out. */
  readonly jitter: number;
}

/** Checks the options. */
export function resolveRetention(policy: RetentionPolicy, owner: PolicyOwner): ResolvedRetention {
  return { retention: retentionOf(policy, owner), jitter: jitterOf(policy, owner) };
}

function retentionOf(
  { ttl, negativeTtl, shouldCache }: RetentionPolicy,
  owner: PolicyOwner,
): Retention | undefined {
  if (shouldCache !== undefined && typeof shouldCache !== "function") {
    owner.refuse(`has \`shouldCache: ${shown(shouldCache)}\`: give a function of the value and its node.`);
  }
  if (ttl === undefined && negativeTtl === undefined && shouldCache === undefined) return undefined;
  return new Retention(
    ttl === undefined || typeof ttl === "function" ? ttl : milliseconds(ttl, ...optionOf("ttl", owner)),
    negativeTtl === undefined ? undefined : milliseconds(negativeTtl, ...optionOf("negativeTtl", owner)),
    shouldCache,
  );
}

function jitterOf({ jitter = 0 }: RetentionPolicy, { refuse }: PolicyOwner): number {
  if (typeof jitter !== "number" || !(jitter >= 0 && jitter <= 1)) {
    refuse(`has \`jitter: ${shown(jitter)}\`: give a share of the ttl from 0 to 1, such as 0.1.`);
  }
  return jitter;
}
