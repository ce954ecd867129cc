import { MOVED_PER_OPERATION, REMOVED_PER_WAKING, SHED_PER_OPERATION } from "./effort.js";
import { EXPIRED_PER_OPERATION, Expiry } from "./expiry.js";
import { isIndexed, isNumber, KeyHash } from "./key-hash.js";
import { KeyIndex } from "./key-index.js";
import type { Settings } from "./options.js";
import { choosePolicy } from "./policy/choose.js";
import { CustomPolicy } from "./policy/custom.js";
import type { Limits, Requests, SlotPolicy } from "./policy/slot-policy.js";
import { type RemovalCause, Removals } from "./removal.js";
import { Room } from "./room.js";
import { Slots } from "./slots.js";
import { Upkeep } from "./upkeep.js";

/**
 * The parts of a cache put together: slots, index, policy and expiry, kept in step with each other.
 *
 * Every change goes through `insert`, `overwrite` and `remove`, which leave all parts consistent; `finish` then calls
 * what is the user's. A hit is an index look-up and one byte (or one call of the policy).
 */
export class Store<K, V> {
  readonly slots: Slots<K, V> = new Slots();
  readonly index: KeyIndex<K, V> = new KeyIndex(this.slots);
  /** Slots of keys that are neither strings nor numbers, which only a Map can look up. */
  readonly others: Map<K, number> = new Map();
  readonly hash: KeyHash;
  readonly policy: SlotPolicy;
  readonly expiry: Expiry;
  readonly room: Room<K, V>;
  readonly removals: Removals<K, V>;
  readonly requests: Requests = { hits: 0, misses: 0 };
  limits: Limits;
  size = 0;
  weight = 0;
  refused = 0;
  readonly #upkeep: Upkeep;
  readonly #custom: CustomPolicy<K, V> | undefined;
  readonly #onHit: Uint8Array;
  /** Somebody listens to removals. */
  readonly #isHeard: boolean;
  #marks: Uint8Array | null;
  /** Limits were lowered and are not reached yet. */
  #isShedding = false;

  constructor(settings: Settings<K, V>) {
    const { limits, random } = settings;
    this.limits = limits;
    this.hash = new KeyHash(random);
    this.expiry = new Expiry(settings.clock, settings.idle);
    this.removals = new Removals(settings.onRemoval, settings.onListenerError);
    this.#isHeard = settings.onRemoval !== undefined;
    this.policy = choosePolicy(settings.policy, {
      slots: this.slots,
      limits,
      requests: this.requests,
      random,
    });
    this.#custom = this.policy instanceof CustomPolicy ? this.policy : undefined;
    this.#onHit = this.policy.onHit;
    this.#marks = this.policy.marks;
    this.room = new Room(this.slots, this.index, this.others, {
      parts: [this.policy, this.expiry],
      canMove: this.#custom === undefined,
    });
    this.#upkeep = new Upkeep(settings.clock, (now) => this.#maintain(now));
  }

  get isOver(): boolean {
    return this.size > this.limits.maxSize || this.weight > this.limits.maxWeight;
  }

  hashOf(space: number, key: K): number {
    if (typeof key === "string") return this.hash.ofString(space, key);
    if (isNumber(key)) return this.hash.ofNumber(key);
    return this.hash.ofOther(key);
  }

  /** The slot of a key, or -1; the entry may have expired. */
  find(space: number, key: K): number {
    if (typeof key === "string") return this.index.findString(space, key, this.hash.ofString(space, key));
    return this.findHashed(space, key, isNumber(key) ? this.hash.ofNumber(key) : 0);
  }

  /** The slot of a key whose hash is known, or -1; the entry may have expired. */
  findHashed(space: number, key: K, hash: number): number {
    if (typeof key === "string") return this.index.findString(space, key, hash);
    return isNumber(key) ? this.index.findNumber(key, hash) : (this.others.get(key) ?? -1);
  }

  /** The value in a slot that `find` returned, or `absent`, counted as a hit or a miss. 2 ns where there are marks. */
  read<A>(slot: number, now: number | undefined, absent: A): V | A {
    if (slot < 0) {
      this.requests.misses++;
      return absent;
    }
    const { deadlines, quietUntil, hasIdle } = this.expiry;
    // With the time given nearly all hits end here, a tenth slower than without an end; calling more, it was two fifths.
    const deadline = deadlines === null ? 0 : (deadlines[slot] as number);
    if (deadline !== 0 && (now === undefined || now >= deadline || now >= quietUntil || hasIdle))
      return this.#readEnding(slot, now, absent);
    return this.#hit(slot);
  }

  /** The value in a slot that `find` returned, whether or not its time is over. */
  readHeld(slot: number): V | undefined {
    if (slot >= 0) return this.#hit(slot);
    this.requests.misses++;
    return undefined;
  }

  /** Adds an entry whose key is not held. Returns its slot; `evict` must follow. */
  insert(space: number, key: K, value: V, hash: number, weight: number): number {
    const { slots } = this;
    if (slots.free < 0 && slots.unused >= this.room.growAt) {
      this.room.grow(this.limits.maxSize);
      this.#marks = this.policy.marks;
    }
    // As a Map does: -0 is stored as 0, which is the same type.
    const slot = slots.allocate(key === 0 ? (0 as K) : key, value, hash, space);
    if (weight !== 1) slots.setWeight(slot, weight);
    if (typeof key === "string" || isNumber(key)) this.index.add(hash, slot);
    else this.others.set(key, slot);
    this.size++;
    this.weight += weight;
    this.policy.insert(slot);
    return slot;
  }

  /** Gives a held entry another value and weight. */
  overwrite(slot: number, value: V, weight: number): void {
    const { slots } = this;
    const marks = this.#marks;
    const oldWeight = slots.weightOf(slot);
    this.removals.replaced++;
    if (this.#isHeard) this.#tellOf(slot, "replaced");
    slots.setValue(slot, value);
    if (weight === oldWeight && marks !== null) {
      marks[slot] = this.#onHit[marks[slot] as number] as number;
      return;
    }
    slots.setWeight(slot, weight);
    this.weight += weight - oldWeight;
    this.policy.update(slot, oldWeight);
  }

  /** Turns an entry away that is heavier than everything may be. What its key had before must not outlive it. */
  refuse(space: number, key: K, value: V, slot: number): void {
    if (slot >= 0) this.remove(slot, "replaced");
    this.refused++;
    this.removals.size++;
    this.removals.add(key, value, "size", space);
  }

  /** Starts the time of a new or overwritten entry, for a ttl that needs it. */
  startTime(slot: number, ttl: number, given: number | undefined): void {
    const now = given ?? this.expiry.clock.now();
    this.#upkeep.wakeBy(this.expiry.start(slot, ttl, now), now);
    if (now >= this.expiry.quietUntil) this.expire(now, EXPIRED_PER_OPERATION);
  }

  /** Removes a held entry from all parts. */
  remove(slot: number, cause: RemovalCause): void {
    this.removals[cause]++;
    if (this.#isHeard) this.#tellOf(slot, cause);
    this.policy.remove(slot);
    this.#drop(slot);
  }

  /** Evicts until the limits hold; after a `resize` to lower ones, a bounded part of the way. */
  evict(): void {
    const { limits } = this;
    let rest = this.#isShedding ? SHED_PER_OPERATION : Number.POSITIVE_INFINITY;
    while (this.size > limits.maxSize || this.weight > limits.maxWeight) {
      if (rest-- === 0) return;
      this.#evictOne();
    }
    this.#isShedding = false;
  }

  /** Removes expired entries, after looking at `most` of those whose time may have come. */
  expire(now: number, most: number): void {
    for (let looked = 0; looked < most; looked++) {
      const slot = this.expiry.takeOver(now, most - looked);
      if (slot < 0) return;
      this.remove(slot, "expired");
    }
  }

  resize(limits: Limits): void {
    this.limits = limits;
    this.policy.resize(limits);
    if (!this.isOver) return;
    this.#isShedding = true;
    this.tidy();
  }

  /** After many removals at once: what is left to do is done in the background. */
  tidy(): void {
    const now = this.expiry.clock.now();
    if (this.#maintain(now) <= now) this.#upkeep.wakeBy(now, now);
  }

  clear(): void {
    for (let slot = 0; this.#isHeard && slot < this.slots.unused; slot++)
      if (this.slots.isHeld(slot)) this.#tellOf(slot, "cleared");
    this.removals.cleared += this.size;
    this.slots.clear();
    this.index.clear();
    this.others.clear();
    this.policy.clear();
    this.expiry.clear();
    this.room.clear();
    this.#upkeep.cancel();
    this.#marks = this.policy.marks;
    this.size = 0;
    this.weight = 0;
    this.#isShedding = false;
  }

  /** The end of every operation that may have removed something: everything is consistent, the user's code may run. */
  finish(): void {
    if (this.size < this.room.shrinkBelow) this.#shrink(MOVED_PER_OPERATION);
    if (this.#isHeard) this.removals.tell();
    if (this.#custom !== undefined) this.#custom.rethrow();
  }

  #tellOf(slot: number, cause: RemovalCause): void {
    const { slots } = this;
    this.removals.add(slots.keyAt(slot), slots.valueAt(slot), cause, slots.spaceOf(slot));
  }

  #hit(slot: number): V {
    const marks = this.#marks;
    this.requests.hits++;
    // Both indices are in range: a slot is below the capacity, a mark below 256.
    if (marks !== null) marks[slot] = this.#onHit[marks[slot] as number] as number;
    else {
      this.policy.access(slot);
      this.#custom?.rethrow();
    }
    return this.slots.valueAt(slot);
  }

  /** Reads the clock (35 ns) unless the time is given. */
  #readEnding<A>(slot: number, given: number | undefined, absent: A): V | A {
    const { expiry } = this;
    const now = given ?? expiry.clock.now();
    const isOver = expiry.isOver(slot, now);
    let value: V | A = absent;
    if (isOver) {
      this.requests.misses++;
      this.remove(slot, "expired");
    } else {
      if (expiry.hasIdle) expiry.touch(slot, now);
      value = this.#hit(slot);
    }
    if (isOver || now >= expiry.quietUntil) {
      this.expire(now, EXPIRED_PER_OPERATION);
      this.finish();
    }
    return value;
  }

  #evictOne(): void {
    const slot = this.policy.evict();
    this.removals.size++;
    if (this.#isHeard) this.#tellOf(slot, "size");
    this.#drop(slot);
  }

  /** What removals of all causes have in common. An eviction need not look at the key where all are indexed. */
  #drop(slot: number): void {
    const { slots, others } = this;
    if (this.expiry.deadlines !== null) this.expiry.stop(slot);
    if (others.size === 0 || isIndexed(slots.keyAt(slot))) {
      this.index.remove(slots.hashes[slot] as number, slot);
    } else others.delete(slots.keyAt(slot));
    this.size--;
    this.weight -= slots.weights === null ? 1 : (slots.weights[slot] as number);
    slots.release(slot);
  }

  #shrink(most: number): void {
    this.room.shrink(most);
    this.#marks = this.policy.marks;
  }

  /** What the timer does. Returns when it should be called again. */
  #maintain(now: number): number {
    this.expire(now, REMOVED_PER_WAKING);
    for (let shed = 0; shed < REMOVED_PER_WAKING && this.isOver; shed++) this.#evictOne();
    if (!this.isOver) this.#isShedding = false;
    if (this.room.isShrinking) this.#shrink(REMOVED_PER_WAKING);
    this.finish();
    return this.isOver || this.room.isShrinking
      ? now
      : (this.expiry.wheel?.nextDue() ?? Number.POSITIVE_INFINITY);
  }
}
