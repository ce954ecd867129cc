import type { Clock } from "../clock.js";
import type { FillRights } from "../runtime/fill-rights.js";
import type { Flight } from "../runtime/flight.js";
import type { LeaseRenewal } from "../tiers/lease-batch.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";

/** The part of a lease after which it is extended. */
const renewAfter = 1 / 3;

/**
 * Extends the leases of running loads. One timer serves all of them, because most loads end long
 * before their lease does.
 */
export class LeaseRenewals {
  readonly #clock: Clock;
  /**
   * The rights of the running loads' flights. The set does not hold the flights: when V8 enlarges or shrinks a set that is in the
   * old generation, the table before keeps what it held.
   */
  readonly #holding = new Set<FillRights>();
  #isScheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add({ rights, runtime }: Flight): void {
    if (rights?.isHolding !== true) return;
    rights.renewal = { since: this.#clock.elapsed(), duration: runtime.meta.lease ?? 0 };
    this.#holding.add(rights);
    this.#schedule(rights.renewal.duration);
  }

  remove({ rights }: Flight): void {
    if (rights !== undefined) this.#holding.delete(rights);
  }

  /** Gives all leases back. */
  close(): void {
    for (const rights of this.#holding) rights.giveBack();
    this.#holding.clear();
  }

  #schedule(lease: number): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.schedule(() => this.#renew(), lease * renewAfter);
  }

  #renew(): void {
    this.#isScheduled = false;
    const now = this.#clock.elapsed();
    const renewed = new Map<RemoteBatch, LeaseRenewal[]>();
    let shortest = Number.POSITIVE_INFINITY;
    for (const rights of this.#holding) {
      const { since = now, duration = 0 } = rights.renewal ?? {};
      shortest = Math.min(shortest, duration);
      if (now - since < duration * renewAfter) continue;
      rights.renewal = { since: now, duration };
      for (const { tier, storageKey, token } of rights.leases()) {
        const { storage } = tier;
        if (!storage.leases.isExtensible) continue;
        const renewals = renewed.get(storage) ?? [];
        renewals.push({ storageKey, token, duration });
        renewed.set(storage, renewals);
      }
    }
    for (const [storage, renewals] of renewed) storage.leases.extend(renewals);
    if (this.#holding.size > 0) this.#schedule(shortest);
  }
}
