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
import type { RankedEntry } from "./ranked-entry.js";
import { type RemovalCause, Removals } from "./removal.js";
import { EVICTED_PER_OPERATION, MOVED_PER_OPERATION, REMOVED_PER_TIMER } from "./work-limits.js";

/**
 * Entries within limits. Keeps the index, the policy, the expiry and the capacity in step. Has
 * every way in which an entry leaves; `store.ts` has the ways in.
 */
export class BoundedEntries<K, V> extends KeyIndex<K, V> implements Requests {
  /** Slots of the keys that are neither strings nor numbers, which only a Map can look up. */
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
  /** Marks of the policy. The store keeps them too, because every hit needs them. */
  protected marks: Uint8Array | null;
  /** Whether there is a removal listener. */
  protected readonly hasListener: boolean;
  protected readonly custom: CustomPolicy<K, V> | undefined;
  protected readonly maintenance: Maintenance;
  /**
   * Whether nothing remains to be done after a write: there is no listener, no custom policy, no
   * weight, no pending work. May stay false for a while after all of this holds.
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

  /** Removes a stored entry from all parts. */
  remove(slot: number, cause: RemovalCause): void {
    this.removals[cause]++;
    if (this.hasListener) this.queueRemoval(slot, cause);
    this.policy.remove(slot);
    this.drop(slot);
  }

  /** Removes all entries of a space and returns how many there were. */
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

  /** Iterates over the entries, the most valuable first. */
  ranked(): IterableIterator<RankedEntry<K, V>> {
    return this.iterations.slotsOf(this, this.policy.standings, this.expiry, (slot) => ({
      space: this.spaceOf(slot),
      key: this.keyAt(slot),
      value: this.valueAt(slot),
      weight: this.weightOf(slot),
      standing: this.policy.standings.standingOf(slot),
    }));
  }

  /** Removes expired entries. Looks at up to `most` entries that may have expired. */
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

  /** Finishes an operation with many removals. Leaves the rest of the work to the timer. */
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

  /** Computes `isFast`. */
  protected get canBeFast(): boolean {
    return (
      !this.hasListener &&
      this.custom === undefined &&
      this.weights === null &&
      !this.isOverLimit &&
      !this.capacity.isShrinking
    );
  }

  /**
   * Ends every operation that may have removed an entry. The structure is consistent now, so the
   * user's code may run.
   */
  finish(): void {
    if (this.size < this.capacity.shrinkBelow) this.shrink(MOVED_PER_OPERATION);
    // Taken before the listener runs, because the listener may use the cache: these errors belong
    // to this caller.
    const failures = this.custom?.takeFailures();
    if (this.hasListener) this.removals.notify();
    this.isFast = this.canBeFast;
    if (failures !== undefined && failures.length > 0) throw failures[0];
  }

  /**
   * Evicts until the limits hold. `before` is the weight before the write. After a `resize` to
   * lower limits that may take many evictions. Then it stops when the cache weighs no more than
   * before, and some entries later.
   */
  protected evict(before: number): void {
    for (let more = EVICTED_PER_OPERATION; this.isOverLimit && (this.weight > before || more-- > 0); )
      this.evictOne();
  }

  /** Adds slots, if all are in use. */
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

  /** Removes a stored entry from the index. Skips the look at its key if all keys are indexed. */
  protected unindex(slot: number): void {
    const { otherKeys } = this;
    if (otherKeys.size === 0 || isIndexed(this.keyAt(slot)))
      this.removeKey(this.hashes[slot] as number, slot);
    else otherKeys.delete(this.keyAt(slot));
  }

  /** Moves an entry to the slot of an evicted entry. The policy has already done its part. */
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

  /** Does the part of a removal that all causes share. */
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
   * Does the timer's work and returns when it should run again. Keeps the errors of a custom policy
   * for the next caller of the cache, because nobody could catch them here.
   */
  private maintain(now: number): number {
    const { capacity } = this;
    this.expire(now, REMOVED_PER_TIMER);
    for (let shed = 0; shed < REMOVED_PER_TIMER && this.isOverLimit; shed++) this.evictOne();
    if (capacity.isShrinking) this.shrink(REMOVED_PER_TIMER);
    if (this.hasListener) this.removals.notify();
    this.isFast = this.canBeFast;
    // If an iteration is running, its end starts the rest of the work.
    return this.isOverLimit || (capacity.isShrinking && !this.iterations.areRunning)
      ? now
      : (this.expiry.wheel?.nextDue() ?? Number.POSITIVE_INFINITY);
  }
}
