import { isIndexed, isNumber, KeyHash } from "../table/key-hash.js";
import { BoundedEntries } from "./bounded-entries.js";
import type { EntryDetails } from "./entry-details.js";
import { type Placement, placement, placementOf, type SetOptions, type Settings } from "./options.js";
import { EXPIRED_PER_OPERATION } from "./work-limits.js";

/**
 * How entries are read and written. A hit is an index look-up and one byte (or one call of the policy).
 *
 * `Slots`, `KeyIndex`, `BoundedEntries` and `Store` are layers of one object, not objects of their own: a hit reads fields of
 * all of them, and an object in between costs a nanosecond or two each time (30 of 80 ns of an overwrite in all).
 */
export class Store<K, V> extends BoundedEntries<K, V> {
  readonly settings: Settings<K, V>;
  private readonly hash: KeyHash;
  private readonly onHit: Uint8Array;

  constructor(settings: Settings<K, V>) {
    super(settings);
    this.settings = settings;
    this.hash = new KeyHash(settings.random);
    this.onHit = this.policy.onHit;
  }

  hashOf(space: number, key: K): number {
    return typeof key === "string" ? this.hash.ofString(space, key) : this.hash.ofOther(key);
  }

  /** The slot of a key, or -1; the entry may have expired. */
  find(space: number, key: K): number {
    return typeof key === "string"
      ? this.findString(space, key, this.hash.ofString(space, key))
      : this.findOther(space, key, isNumber(key) ? this.hash.ofNumber(key) : 0);
  }

  /** The value of a key, or `absent`, counted as a hit or a miss. */
  get<A>(space: number, key: K, now: number | undefined, absent: A): V | A {
    const slot = this.find(space, key);
    if (slot < 0) {
      this.misses++;
      return absent;
    }
    const { expiry } = this;
    if (expiry.deadlines !== null && expiry.mayBeExpired(slot, now))
      return this.readExpiring(slot, now, absent);
    return this.hit(slot);
  }

  /** The value of a key, whether or not its time is over. */
  getHeld(space: number, key: K): V | undefined {
    const slot = this.find(space, key);
    if (slot >= 0) return this.hit(slot);
    this.misses++;
    return undefined;
  }

  /** The value of a key, not counted. */
  peek(space: number, key: K, now: number | undefined): V | undefined {
    const slot = this.find(space, key);
    return this.isLive(slot, now) ? this.valueAt(slot) : undefined;
  }

  has(space: number, key: K, now: number | undefined): boolean {
    return this.isLive(this.find(space, key), now);
  }

  inspect(space: number, key: K, given: number | undefined): EntryDetails<V> | undefined {
    const { expiry } = this;
    const slot = this.find(space, key);
    const now = slot >= 0 && expiry.hasDeadline(slot) ? (given ?? expiry.clock.now()) : 0;
    if (!this.isLive(slot, now)) return undefined;
    return { value: this.valueAt(slot), weight: this.weightOf(slot), remaining: expiry.remaining(slot, now) };
  }

  /** Removes an entry. False if there was none, or its time was over. */
  delete(space: number, key: K, now: number | undefined): boolean {
    const slot = this.find(space, key);
    if (slot < 0) return false;
    const isLive = this.isLive(slot, now);
    this.remove(slot, isLive ? "explicit" : "expired");
    this.finish();
    return isLive;
  }

  /** Stores a value, and evicts others for it. False if it was refused: alone it is heavier than everything may be. */
  set(space: number, key: K, value: V, how: Placement): boolean {
    if (typeof key !== "string") return this.setOther(space, key, value, how);
    const hash = this.hash.ofString(space, key);
    const slot = this.findString(space, key, hash);
    if (slot < 0) return this.insert(hash, space, key, value, how);
    const { marks } = this;
    // All that is rare is elsewhere: what is left is short enough to be compiled into the caller.
    if (!this.isFast || !how.isPlain || marks === null || this.expiry.deadlines !== null)
      return this.overwrite(slot, hash, space, key, value, how);
    this.removals.replaced++;
    this.setValue(slot, value);
    marks[slot] = this.onHit[marks[slot] as number] as number;
    return true;
  }

  /** `set`, as its options say. */
  setWith(space: number, key: K, value: V, options: SetOptions | undefined): boolean {
    return this.set(space, key, value, placementOf(this.settings, key, value, options));
  }

  private setOther(space: number, key: K, value: V, how: Placement): boolean {
    const hash = this.hash.ofOther(key);
    const slot = this.findOther(space, key, hash);
    return slot < 0
      ? this.insert(hash, space, key, value, how)
      : this.overwrite(slot, hash, space, key, value, how);
  }

  /** The slot of a key that is no string, which there is in space 0 only, or -1. Only the hash of a number is asked for. */
  private findOther(space: number, key: K, hash: number): number {
    if (space !== 0) return -1;
    return isNumber(key) ? this.findNumber(key, hash) : (this.otherKeys.get(key) ?? -1);
  }

  /** Adds an entry whose key is not held. */
  private insert(hash: number, space: number, key: K, value: V, how: Placement): boolean {
    const { weight } = how;
    if (weight > this.limits.maxWeight) return this.refuse(space, key, value);
    // Full, and every entry weighs 1.
    if (
      this.size === this.limits.maxSize &&
      this.weight <= this.limits.maxWeight &&
      this.weights === null &&
      weight === 1 &&
      !this.iterations.areRunning
    ) {
      const victim = this.policy.replace(hash);
      if (victim >= 0) return this.supersede(victim, hash, space, key, value, how);
    }
    if (this.free < 0 && this.unused >= this.capacity.growAt) this.grow();
    const slot = this.allocate(storedKey(key), value, hash, space);
    if (weight !== 1) {
      this.setWeight(slot, weight);
      this.isFast = false;
    }
    const before = this.weight;
    this.size++;
    this.weight = before + weight;
    this.policy.insert(slot);
    this.index(slot, key, hash);
    this.setDeadline(slot, how.ttl, how.now);
    this.afterWrite(before);
    return true;
  }

  /** Puts a new entry in the place of one that is evicted for it; the policy has done its part. */
  private supersede(victim: number, hash: number, space: number, key: K, value: V, how: Placement): boolean {
    const slot = this.policy.entering;
    this.removals.size++;
    if (this.hasListener) this.queueRemoval(victim, "size");
    // Nearly always: one key of the table for another.
    const isExchange = this.old === null && this.otherKeys.size === 0 && isIndexed(key);
    if (isExchange) this.takeOut(victim);
    else this.unindex(victim);
    if (slot !== victim) this.relocate(slot, victim);
    this.occupy(slot, storedKey(key), value, hash, space);
    if (isExchange) this.putIn(slot);
    else this.index(slot, key, hash);
    this.setDeadline(slot, how.ttl, how.now);
    if (!this.isFast) this.finish();
    return true;
  }

  /** The entry of a slot can be found from now on. */
  private index(slot: number, key: K, hash: number): void {
    if (isIndexed(key)) this.addKey(hash, slot);
    else this.otherKeys.set(key, slot);
  }

  /** Gives a held entry another value, weight and time; in the place of an expired one comes a new one. */
  private overwrite(slot: number, hash: number, space: number, key: K, value: V, how: Placement): boolean {
    const { expiry, marks } = this;
    const { weight, ttl } = how;
    if (this.isFast && weight === 1 && marks !== null && expiry.extend(slot, how)) {
      this.removals.replaced++;
      this.setValue(slot, value);
      marks[slot] = this.onHit[marks[slot] as number] as number;
      return true;
    }
    const now = how.now ?? this.timeIfNeeded(slot, ttl);
    if (now !== undefined && expiry.isExpired(slot, now)) {
      this.remove(slot, "expired");
      return this.insert(hash, space, key, value, placement(weight, ttl, now));
    }
    if (weight > this.limits.maxWeight) {
      // What the key had before must not outlive what it was to have.
      this.remove(slot, "replaced");
      return this.refuse(space, key, value);
    }
    const before = this.weight;
    const oldWeight = this.weightOf(slot);
    this.removals.replaced++;
    if (this.hasListener) this.queueRemoval(slot, "replaced");
    this.setValue(slot, value);
    if (weight !== oldWeight) {
      this.isFast = false;
      this.setWeight(slot, weight);
      this.weight += weight - oldWeight;
    }
    if (weight === oldWeight && marks !== null) marks[slot] = this.onHit[marks[slot] as number] as number;
    else this.policy.update(slot, oldWeight);
    this.setDeadline(slot, ttl, now);
    this.afterWrite(before);
    return true;
  }

  private refuse(space: number, key: K, value: V): false {
    this.refused++;
    this.removals.size++;
    this.removals.add(storedKey(key), value, "size", space);
    this.afterWrite(this.weight);
    return false;
  }

  /** The end of every `set`, of a cache that weighed so much before it. */
  private afterWrite(before: number): void {
    if (this.isOverLimit) this.evict(before);
    if (!this.isFast) this.finish();
  }

  /** The time, if the entry that is overwritten or the one that comes needs it. */
  private timeIfNeeded(slot: number, ttl: number): number | undefined {
    const { expiry } = this;
    return expiry.hasDeadline(slot) || expiry.needsTime(ttl) ? expiry.clock.now() : undefined;
  }

  /** Gives a new or overwritten entry its end, or none. */
  private setDeadline(slot: number, ttl: number, given: number | undefined): void {
    const { expiry } = this;
    if (!expiry.needsTime(ttl)) {
      if (expiry.deadlines !== null) expiry.clearDeadline(slot);
      return;
    }
    const now = given ?? expiry.clock.now();
    this.maintenance.scheduleBy(expiry.setDeadline(slot, ttl, now), now);
    if (now >= expiry.nextCheckAt) this.expire(now, EXPIRED_PER_OPERATION);
  }

  /** Whether there is an entry in what `find` has found, and its time is not over. */
  private isLive(slot: number, now: number | undefined): boolean {
    const { expiry } = this;
    return slot >= 0 && (!expiry.hasDeadline(slot) || !expiry.isExpired(slot, now ?? expiry.clock.now()));
  }

  private hit(slot: number): V {
    const { marks } = this;
    this.hits++;
    // Both indices are in range: a slot is below the capacity, a mark below 256.
    if (marks !== null) marks[slot] = this.onHit[marks[slot] as number] as number;
    else this.access(slot);
    return this.valueAt(slot);
  }

  /** A hit for a policy that is told of each. */
  private access(slot: number): void {
    this.policy.access(slot);
    if (this.custom !== undefined) this.custom.rethrow();
  }

  /** Reads the clock (35 ns) unless the time is given. */
  private readExpiring<A>(slot: number, given: number | undefined, absent: A): V | A {
    const { expiry } = this;
    const now = given ?? expiry.clock.now();
    const isExpired = expiry.isExpired(slot, now);
    let value: V | A = absent;
    if (isExpired) {
      this.misses++;
      this.remove(slot, "expired");
    } else {
      expiry.touch(slot, now);
      value = this.hit(slot);
    }
    if (isExpired || now >= expiry.nextCheckAt) {
      this.expire(now, EXPIRED_PER_OPERATION);
      this.finish();
    }
    return value;
  }
}

/** As a Map does: -0 is stored as 0. */
function storedKey<K>(key: K): K {
  // Which is the same type.
  return key === 0 ? (0 as K) : key;
}
