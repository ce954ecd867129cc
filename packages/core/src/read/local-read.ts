import type { Clock } from "../clock.js";
import type { Events } from "../events.js";
import type { LocalTier } from "../plan/node-kind.js";
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

  /** The nearest fresh entry, counted as a hit, or `undefined`. Tiers to its left get it for what is left of its time. */
  hit(plan: Plan, key: string): LocalEntry | undefined {
    const { nearest } = plan;
    if (nearest === undefined) return undefined;
    const entry = nearest.storage.read(plan.space, key);
    if (
      entry !== undefined &&
      (entry.freshUntil === Number.POSITIVE_INFINITY || entry.freshUntil > this.#clock.now())
    ) {
      this.#count(plan, key, nearest, entry);
      return entry;
    }
    return plan.localTiers.length > 1 ? this.hitWithin(plan, key, Number.POSITIVE_INFINITY) : undefined;
  }

  /** The same for an entry of at most this age, in milliseconds. */
  hitWithin(plan: Plan, key: string, maxAge: number): LocalEntry | undefined {
    const now = this.#clock.now();
    for (const [place, tier] of plan.localTiers.entries()) {
      const entry = tier.storage.read(plan.space, key);
      if (entry === undefined || entry.freshUntil <= now || now - entry.writtenAt > maxAge) continue;
      this.#count(plan, key, tier, entry);
      if (place > 0) this.#fillLeft(plan, key, entry, place);
      return entry;
    }
    return undefined;
  }

  #count(plan: Plan, key: string, tier: LocalTier, entry: LocalEntry): void {
    entry.hits++;
    (plan.stats.hits[tier.index] as number)++; // There is a counter for each of the class's tiers.
    if (this.#events.listeners.hit !== null) {
      this.#events.emit("hit", { node: plan.name, key, storage: tier.name, readers: 1 });
    }
  }

  #fillLeft(plan: Plan, key: string, entry: LocalEntry, before: number): void {
    const now = this.#clock.now();
    for (const tier of plan.localTiers.slice(0, before)) {
      const freshUntil = Math.min(entry.freshUntil, now + tier.ttl);
      const cached = { value: entry.value, writtenAt: entry.writtenAt, freshUntil };
      try {
        tier.storage.write(plan.space, key, cached, now);
      } catch {
        tier.storage.remove(plan.space, key); // A tier that cannot take the value, by cloning it for one, costs no reader.
      }
    }
  }
}
