import type { Cached } from "../entry/entry.js";
import type { ResolvedRefreshAhead } from "../node/policy/refresh-ahead.js";
import type { Tier } from "./node-kind.js";

/** The share of the latest load in the mean of the loads' durations. */
const share = 0.2;

/**
 * The mean gaps, in the unit of XFetch's exponential distribution, beyond which no read is due. One
 * in five hundred million would be.
 */
const farthestGap = 20;

/**
 * Decides which reads load a value again before it expires.
 *
 * XFetch (Vattani, Chierichetti and Lowenstein, "Optimal Probabilistic Cache Stampede Prevention",
 * VLDB 2015, figure 3): a read is due if `now - delta * beta * ln(random) >= expiry`. The delta is the
 * duration of a load. It is measured as a moving mean of the class's loads in this process.
 */
export class RefreshAhead {
  readonly #policy: ResolvedRefreshAhead;
  readonly #random: () => number;
  /** The mean duration of the class's loads, in milliseconds; 0 before the first. */
  #delta = 0;

  constructor(policy: ResolvedRefreshAhead, random: () => number = Math.random) {
    this.#policy = policy;
    this.#random = random;
  }

  /** Records the duration of a load, in milliseconds. */
  measured(duration: number): void {
    this.#delta = this.#delta === 0 ? duration : this.#delta + share * (duration - this.#delta);
  }

  /**
   * Returns whether a read of a fresh entry is to load it again. The common answer, not yet, takes no
   * random number.
   *
   * @param longest the most milliseconds for which the tier keeps an entry, see {@link longestLife}
   */
  isDue({ freshUntil, writtenAt }: Cached, longest: number, now: number): boolean {
    const left = freshUntil - now;
    const { beta, threshold } = this.#policy;
    if (beta === undefined) {
      const life = Math.min(longest, freshUntil - writtenAt);
      return left <= life * (1 - (threshold ?? 1));
    }
    const gap = this.#delta * beta;
    return left <= gap * farthestGap && left <= -gap * Math.log(this.#random());
  }
}

/**
 * Returns the most milliseconds for which a tier keeps an entry. It is the tier's ttl. A load may set
 * a longer one for its value, and the last tier keeps to that.
 */
export function longestLife(tiers: readonly Tier[], tier: Tier | undefined): number {
  return tier === undefined || tier.index === tiers.length - 1 ? Number.POSITIVE_INFINITY : tier.ttl;
}
