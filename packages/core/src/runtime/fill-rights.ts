import type { LeaseAnswer } from "../storage/leases.js";
import type { RemoteTier } from "./node-kind.js";

/** A lease that a flight holds. */
type Lease = Extract<LeaseAnswer, { readonly outcome: "granted" }>;

/**
 * The right of a flight to fill one remote tier: its lease, or the reason why it has none. Either
 * another process holds the lease, or the storage could not be reached.
 */
export type FillRight = Lease | "held" | "unreachable";

/** The rights of one flight. A tier whose storage does not support leases has none. */
export class FillRights {
  readonly #storageKey: string;
  /** The rights by the tier's place, and the tiers. */
  readonly #rights: (FillRight | undefined)[] = [];
  readonly #tiers: RemoteTier[] = [];
  /** The time when the leases of a running load were acquired or extended, and their length, in milliseconds. */
  renewal: { readonly since: number; readonly duration: number } | undefined;

  constructor(storageKey: string) {
    this.#storageKey = storageKey;
  }

  /** Returns the right of the tier; `undefined` if the flight has not asked for it. */
  of(tier: RemoteTier): FillRight | undefined {
    return this.#rights[tier.index];
  }

  add(tier: RemoteTier, right: FillRight): void {
    if (this.#rights[tier.index] === undefined) this.#tiers.push(tier);
    this.#rights[tier.index] = right;
  }

  /** Returns whether it holds the tier's lease. */
  holds(tier: RemoteTier): boolean {
    return isLease(this.of(tier));
  }

  /** Takes the tier's lease out, because a fill uses it up. */
  take(tier: RemoteTier): FillRight | undefined {
    const right = this.of(tier);
    if (isLease(right)) this.#rights[tier.index] = "held";
    return right;
  }

  /** Whether it holds a lease. */
  get isHolding(): boolean {
    return this.#rights.some(isLease);
  }

  /** Whether another process holds the lease of a tier. */
  get isHeldElsewhere(): boolean {
    return this.#rights.includes("held");
  }

  /** Returns the leases that it holds. */
  leases(): { readonly tier: RemoteTier; readonly storageKey: string; readonly token: string }[] {
    return this.#tiers.flatMap((tier) => {
      const right = this.of(tier);
      return isLease(right) ? [{ tier, storageKey: this.#storageKey, token: right.token }] : [];
    });
  }

  /**
   * Gives every lease back, because nothing is stored.
   *
   * @param released called with whether each token was still stored. Otherwise another process has
   *   removed the key or taken the lease, or that is unknown
   */
  giveBack(released?: (wereOwn: boolean) => void): void {
    const leases = this.leases();
    let waiting = leases.length;
    let wereOwn = true;
    const answered = (isOwn: boolean | undefined) => {
      wereOwn &&= isOwn === true;
      waiting -= 1;
      if (waiting === 0) released?.(wereOwn);
    };
    for (const { tier, storageKey, token } of leases) {
      this.take(tier);
      tier.storage.leases.release({ storageKey, token, released: released && answered });
    }
    if (waiting === 0) released?.(true);
  }
}

function isLease(right: FillRight | undefined): right is Lease {
  return typeof right === "object";
}
