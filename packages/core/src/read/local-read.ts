import type { Clock } from "../clock.js";
import type { Events } from "../events.js";
import type { Plan } from "../plan/plan.js";
import type { LocalEntry } from "../storage/local-storage.js";

/**
 * Reads the local tiers, synchronously. This is the path of a hit, and the product's speed: no closure, no await, no object
 * of any kind, and the clock (35 ns, a third of the whole) is asked only for an entry that has a ttl.
 */
export class LocalRead {
  readonly #clock: Clock;
  readonly #events: Events;

  constructor(clock: Clock, events: Events) {
    this.#clock = clock;
    this.#events = events;
  }

  /** The fresh entry of at most this age, counted as a hit, or `undefined`. Tiers to its left get it for what is left of its time. */
  hit(plan: Plan, key: string, maxAge: number): LocalEntry | undefined {
    const tiers = plan.localTiers;
    for (let place = 0; place < tiers.length; place++) {
      const tier = tiers[place];
      const entry = tier?.storage.read(plan.space, key);
      if (tier === undefined || entry === undefined || !this.#serves(entry, maxAge)) continue;
      entry.hits += 1;
      plan.stats.hits[tier.index] = (plan.stats.hits[tier.index] ?? 0) + 1;
      if (place > 0) this.#fillLeft(plan, key, entry, place);
      if (this.#events.listeners.hit !== null) {
        this.#events.emit("hit", { node: plan.name, key, storage: tier.name, readers: 1 });
      }
      return entry;
    }
    return undefined;
  }

  #serves(entry: LocalEntry, maxAge: number): boolean {
    if (entry.freshUntil === Number.POSITIVE_INFINITY && maxAge === Number.POSITIVE_INFINITY) return true;
    const now = this.#clock.now();
    return entry.freshUntil > now && now - entry.writtenAt <= maxAge;
  }

  #fillLeft(plan: Plan, key: string, entry: LocalEntry, before: number): void {
    const now = this.#clock.now();
    for (const tier of plan.localTiers.slice(0, before)) {
      const freshUntil = Math.min(entry.freshUntil, now + tier.ttl);
      tier.storage.write(
        plan.space,
        key,
        { value: entry.value, writtenAt: entry.writtenAt, freshUntil },
        now,
      );
    }
  }
}
