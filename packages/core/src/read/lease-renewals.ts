import type { Clock } from "../clock.js";
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
  /** The running loads' flights, each with the time when its leases were acquired or extended. */
  readonly #flights = new Map<Flight, number>();
  #isScheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(flight: Flight): void {
    if (flight.rights?.isHolding !== true) return;
    this.#flights.set(flight, this.#clock.elapsed());
    this.#schedule(flight.runtime.meta.lease ?? 0);
  }

  remove(flight: Flight): void {
    this.#flights.delete(flight);
  }

  /** Gives all leases back. */
  close(): void {
    for (const flight of this.#flights.keys()) flight.rights?.giveBack();
    this.#flights.clear();
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
    for (const [flight, since] of this.#flights) {
      const duration = flight.runtime.meta.lease ?? 0;
      shortest = Math.min(shortest, duration);
      if (now - since < duration * renewAfter) continue;
      this.#flights.set(flight, now);
      for (const { tier, storageKey, token } of flight.rights?.leases() ?? []) {
        const { storage } = tier;
        if (!storage.leases.isExtensible) continue;
        const renewals = renewed.get(storage) ?? [];
        renewals.push({ storageKey, token, duration });
        renewed.set(storage, renewals);
      }
    }
    for (const [storage, renewals] of renewed) storage.leases.extend(renewals);
    if (this.#flights.size > 0) this.#schedule(shortest);
  }
}
