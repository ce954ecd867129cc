import type { Fitting } from "../table/column.js";
import type { Slots } from "../table/slots.js";
import type { EvictionPolicy } from "./eviction-policy.js";
import type { SlotPolicy } from "./slot-policy.js";
import { type Standing, type Standings, UNCOUNTED } from "./standing.js";

/**
 * Adapts a custom policy. The custom policy may throw, or name a slot without an entry. The cache
 * must stay consistent and within its limits then. So errors are kept until the cache is
 * consistent, and a missing victim is replaced by the entry inserted last.
 */
export class CustomPolicy<K, V> implements SlotPolicy, Standings {
  readonly marks = null;
  readonly entering = -1;
  readonly standings: Standings = this;
  readonly onHit: Uint8Array = new Uint8Array(0);
  private readonly policy: EvictionPolicy<K>;
  private readonly slots: Slots<K, V>;
  /** 1 for each slot with an entry. */
  held: Uint8Array = new Uint8Array(0);
  private last = -1;
  private failures: unknown[] = [];

  constructor(policy: EvictionPolicy<K>, slots: Slots<K, V>) {
    this.policy = policy;
    this.slots = slots;
  }

  fitOne(capacity: number, fitting: Fitting): boolean {
    if (this.held.length === capacity) return false;
    this.held = fitting.fit(this.held, capacity);
    return true;
  }

  /** Does nothing and is never called: a custom policy knows entries by their slots. */
  moveSlot(): void {}

  insert(slot: number): void {
    this.held[slot] = 1;
    this.last = slot;
    this.guard(() => this.policy.onInsert(slot, this.slots.keyAt(slot), this.slots.weightOf(slot)));
  }

  replace(): number {
    return -1;
  }

  access(slot: number): void {
    this.guard(() => this.policy.onAccess(slot, this.slots.weightOf(slot)));
  }

  update(slot: number): void {
    this.last = slot;
    this.access(slot);
  }

  remove(slot: number): void {
    this.held[slot] = 0;
    this.guard(() => this.policy.onRemove(slot));
  }

  evict(): number {
    const slot = this.victim();
    this.remove(slot);
    return slot;
  }

  resize(): void {}

  /** Returns the slots in no particular order, because a custom policy tells none. */
  ranked(): number[] {
    const slots: number[] = [];
    for (let slot = this.held.indexOf(1); slot >= 0; slot = this.held.indexOf(1, slot + 1)) slots.push(slot);
    return slots;
  }

  standingOf(_slot: number): Standing {
    return UNCOUNTED;
  }

  reinstate(_slot: number): void {}

  clear(): void {
    for (let slot = this.held.indexOf(1); slot >= 0; slot = this.held.indexOf(1, slot + 1)) {
      this.guard(() => this.policy.onRemove(slot));
    }
    this.held = new Uint8Array(0);
  }

  /** Returns and clears the errors of the policy since the last call. */
  takeFailures(): readonly unknown[] {
    const { failures } = this;
    if (failures.length > 0) this.failures = [];
    return failures;
  }

  /** Throws the first error of the policy since the last call. */
  rethrow(): void {
    const failures = this.takeFailures();
    if (failures.length > 0) throw failures[0];
  }

  private victim(): number {
    const slot = this.guard(() => this.policy.victim());
    if (slot !== undefined && this.held[slot] === 1) return slot;
    if (this.failures.length === 0) {
      this.failures.push(
        new RangeError(
          `The eviction policy's victim() must return the slot of a stored entry, but returned ${slot}`,
        ),
      );
    }
    return this.held[this.last] === 1 ? this.last : this.held.indexOf(1);
  }

  private guard<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch (failure) {
      this.failures.push(failure);
      return undefined;
    }
  }
}
