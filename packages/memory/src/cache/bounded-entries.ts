import { Expiry } from "../expiry/expiry.js";
import { choosePolicy } from "../policy/choose.js";
import { CustomPolicy } from "../policy/custom.js";
import type { Limits, Requests, SlotPolicy } from "../policy/slot-policy.js";
import { Capacity } from "../table/capacity.js";
import { Iterations } from "../table/iterations.js";
import { isIndexed } from "../table/key-hash.js";
import { KeyIndex } from "../table/key-index.js";
import { Maintenance } from "./maintenance.js";
import type { Settings } from "./options.js";
import { type RemovalCause, Removals } from "./removal.js";
import { EVICTED_PER_OPERATION, MOVED_PER_OPERATION, REMOVED_PER_TIMER } from "./work-limits.js";

/**
 * Entries within limits: the index with policy, expiry and room beside it, kept in step, and every way in which an entry
 * leaves. `store.ts` has the ways in.
 */
export class BoundedEntries<K, V> extends KeyIndex<K, V> implements Requests {
  /** Slots of keys that are neither strings nor numbers, which only a Map can look up. */
  readonly otherKeys: Map<K, number> = new Map();
  readonly policy: SlotPolicy;
  readonly expiry: Expiry;
  readonly iterations: Iterations = new Iterations(() => {
    if (this.capacity.isShrinking) this.finishLater();
  });
  readonly capacity: Capacity<K, V>;
  readonly removals: Removals<K, V>;
  hits = 0;
  misses = 0;
  limits: Limits;
  size = 0;
  weight = 0;
  refused = 0;
  /** The policy's, kept here for the path of a hit. */
  protected marks: Uint8Array | null;
  /** Somebody listens to removals. */
  protected readonly hasListener: boolean;
  protected readonly custom: CustomPolicy<K, V> | undefined;
  protected readonly maintenance: Maintenance;
  /**
   * Nothing has to be done after an entry was written: nobody listens, the policy is ours, no entry has a weight, no work is
   * pending. May be false for a while after that has become true.
   */
  protected isFast: boolean;

  constructor(settings: Settings<K, V>) {
    super();
    const { limits, random } = settings;
    this.limits = limits;
    this.expiry = new Expiry(settings.clock, settings.idle);
    this.removals = new Removals(settings.onRemoval, settings.onListenerError);
    this.hasListener = settings.onRemoval !== undefined;
    this.policy = choosePolicy(settings.policy, { slots: this, limits, requests: this, random });
    this.custom = this.policy instanceof CustomPolicy ? this.policy : undefined;
    this.marks = this.policy.marks;
    this.capacity = new Capacity(this, {
      parts: [this.policy, this.expiry],
      canMove: this.custom === undefined,
      iterations: this.iterations,
      rekey: (from, to) => this.rekey(from, to),
    });
    this.maintenance = new Maintenance(settings.clock, (now) => this.maintain(now));
    this.isFast = this.canBeFast;
  }

  /** Removes a held entry from all parts. */
  remove(slot: number, cause: RemovalCause): void {
    this.removals[cause]++;
    if (this.hasListener) this.queueRemoval(slot, cause);
    this.policy.remove(slot);
    this.drop(slot);
  }

  /** Removes all entries of a space, and returns their number. */
  clearSpace(space: number): number {
    let count = 0;
    for (let slot = 0; slot < this.unused; slot++) {
      if (!this.isHeld(slot) || this.spaceOf(slot) !== space) continue;
      this.remove(slot, "cleared");
      count++;
    }
    if (this.capacity.isShrinking) this.finishLater();
    else this.finish();
    return count;
  }

  /** Removes expired entries, after looking at `most` of those whose time may have come. */
  expire(now: number, most: number): void {
    for (let looked = 0; looked < most; looked++) {
      const slot = this.expiry.nextExpired(now, most - looked);
      if (slot < 0) return;
      this.remove(slot, "expired");
    }
  }

  resize(limits: Limits): void {
    this.limits = limits;
    this.policy.resize(limits);
    if (!this.isOverLimit) return;
    this.isFast = false;
    this.finishLater();
  }

  /** After many removals at once: what is left to do is done in the background. */
  finishLater(): void {
    const now = this.expiry.clock.now();
    if (this.maintain(now) <= now) this.maintenance.scheduleBy(now, now);
    this.custom?.rethrow();
  }

  override clear(): void {
    for (let slot = 0; this.hasListener && slot < this.unused; slot++)
      if (this.isHeld(slot)) this.queueRemoval(slot, "cleared");
    this.removals.cleared += this.size;
    super.clear();
    this.otherKeys.clear();
    this.policy.clear();
    this.expiry.clear();
    this.capacity.clear();
    this.maintenance.cancel();
    this.marks = this.policy.marks;
    this.size = 0;
    this.weight = 0;
    this.finish();
  }

  /** What `isFast` means, asked anew. */
  protected get canBeFast(): boolean {
    return (
      !this.hasListener &&
      this.custom === undefined &&
      this.weights === null &&
      !this.isOverLimit &&
      !this.capacity.isShrinking
    );
  }

  /** The end of every operation that may have removed something: everything is consistent, the user's code may run. */
  finish(): void {
    if (this.size < this.capacity.shrinkBelow) this.shrink(MOVED_PER_OPERATION);
    // Before the listener runs, which may use the cache: what failed here is for this caller.
    const failures = this.custom?.takeFailures();
    if (this.hasListener) this.removals.notify();
    this.isFast = this.canBeFast;
    if (failures !== undefined && failures.length > 0) throw failures[0];
  }

  /**
   * Evicts until the limits hold, of a cache that weighed so much `before` what came in. After a `resize` to lower limits that may
   * be a long way: then until it weighs no more than before, and some entries more.
   */
  protected evict(before: number): void {
    for (let more = EVICTED_PER_OPERATION; this.isOverLimit && (this.weight > before || more-- > 0); )
      this.evictOne();
  }

  /** Makes room for another entry, if all slots are in use. */
  protected grow(): void {
    this.capacity.grow(this.limits.maxSize);
    this.marks = this.policy.marks;
    this.isFast = false;
  }

  protected queueRemoval(slot: number, cause: RemovalCause): void {
    this.removals.add(this.keyAt(slot), this.valueAt(slot), cause, this.spaceOf(slot));
  }

  protected get isOverLimit(): boolean {
    return this.size > this.limits.maxSize || this.weight > this.limits.maxWeight;
  }

  private evictOne(): void {
    const slot = this.policy.evict();
    this.removals.size++;
    if (this.hasListener) this.queueRemoval(slot, "size");
    this.drop(slot);
  }

  /** A held entry is found no more. Its key need not be looked at where all are indexed. */
  protected unindex(slot: number): void {
    const { otherKeys } = this;
    if (otherKeys.size === 0 || isIndexed(this.keyAt(slot)))
      this.removeKey(this.hashes[slot] as number, slot);
    else otherKeys.delete(this.keyAt(slot));
  }

  /** The entry of one slot moves to that of another, which is evicted; the policy has done its part. */
  protected relocate(from: number, to: number): void {
    const { expiry } = this;
    this.rekey(from, to);
    this.moveSlot(from, to);
    if (expiry.deadlines === null) return;
    expiry.clearDeadline(to);
    expiry.moveSlot(from, to);
  }

  private rekey(from: number, to: number): void {
    const key = this.keyAt(from);
    if (isIndexed(key)) this.moveKey(this.hashes[from] as number, from, to);
    else this.otherKeys.set(key, to);
  }

  /** What removals of all causes have in common. */
  private drop(slot: number): void {
    if (this.expiry.deadlines !== null) this.expiry.clearDeadline(slot);
    this.unindex(slot);
    this.size--;
    this.weight -= this.weightOf(slot);
    this.release(slot);
    if (this.size < this.capacity.shrinkBelow) this.isFast = false;
  }

  private shrink(most: number): void {
    this.capacity.shrink(most);
    this.marks = this.policy.marks;
  }

  /**
   * What the timer does. Returns when it should be called again. What a user's policy throws meanwhile is kept for who calls the
   * cache next: here nobody could catch it.
   */
  private maintain(now: number): number {
    const { capacity } = this;
    this.expire(now, REMOVED_PER_TIMER);
    for (let shed = 0; shed < REMOVED_PER_TIMER && this.isOverLimit; shed++) this.evictOne();
    if (capacity.isShrinking) this.shrink(REMOVED_PER_TIMER);
    if (this.hasListener) this.removals.notify();
    this.isFast = this.canBeFast;
    // An iteration is waited for: its end begins the rest.
    return this.isOverLimit || (capacity.isShrinking && !this.iterations.areRunning)
      ? now
      : (this.expiry.wheel?.nextDue() ?? Number.POSITIVE_INFINITY);
  }
}
