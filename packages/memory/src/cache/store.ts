import { isIndexed, isNumber, KeyHash } from "../table/key-hash.js";
import { BoundedEntries } from "./bounded-entries.js";
import type { EntryDetails } from "./entry-details.js";
import { type Placement, placement, placementOf, type SetOptions, type Settings } from "./options.js";
import { EXPIRED_PER_OPERATION } from "./work-limits.js";

/**
 * Reads and writes entries. A hit is an index look-up and one byte, or one call of the policy.
 *
 * `Slots`, `KeyIndex`, `BoundedEntries` and `Store` are layers of one object, not separate objects.
 * A hit reads fields of all four, and each object in between costs 1 or 2 ns: 30 of the 80 ns of an
 * overwrite in all.
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

  /** Returns the slot of a key, or -1. The entry may have expired. */
  find(space: number, key: K): number {
    return typeof key === "string"
      ? this.findString(space, key, this.hash.ofString(space, key))
      : this.findOther(space, key, isNumber(key) ? this.hash.ofNumber(key) : 0);
  }

  /** Returns the value of a key, or `absent`. Counts a hit or a miss. */
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

  /** Returns the value of a key, even if it has expired. */
  getHeld(space: number, key: K): V | undefined {
    const slot = this.find(space, key);
    if (slot >= 0) return this.hit(slot);
    this.misses++;
    return undefined;
  }

  /** Returns the value of a key. Counts nothing. */
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

  /** Removes an entry. Returns false if there was none, or if it had expired. */
  delete(space: number, key: K, now: number | undefined): boolean {
    const slot = this.find(space, key);
    if (slot < 0) return false;
    const isLive = this.isLive(slot, now);
    this.remove(slot, isLive ? "explicit" : "expired");
    this.finish();
    return isLive;
  }

  /**
   * Stores a value and evicts other entries for it. Returns false if the entry alone is heavier
   * than `maxWeight`.
   */
  set(space: number, key: K, value: V, how: Placement): boolean {
    if (typeof key !== "string") return this.setOther(space, key, value, how);
    const hash = this.hash.ofString(space, key);
    const slot = this.findString(space, key, hash);
    if (slot < 0) return this.insert(hash, space, key, value, how);
    const { marks } = this;
    // Rare cases are in other functions, so that V8 can inline this one into its caller.
    if (!this.isFast || !how.isPlain || marks === null || this.expiry.deadlines !== null)
      return this.overwrite(slot, hash, space, key, value, how);
    this.removals.replaced++;
    this.setValue(slot, value);
    marks[slot] = this.onHit[marks[slot] as number] as number;
    return true;
  }

  /** Does the same as `set`, with the options of the call. */
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

  /**
   * Returns the slot of a key that is not a string, or -1. Such keys exist in space 0 only. Only
   * numbers need the hash.
   */
  private findOther(space: number, key: K, hash: number): number {
    if (space !== 0) return -1;
    return isNumber(key) ? this.findNumber(key, hash) : (this.otherKeys.get(key) ?? -1);
  }

  /** Adds an entry whose key is not stored. */
  private insert(hash: number, space: number, key: K, value: V, how: Placement): boolean {
    const { weight } = how;
    if (weight > this.limits.maxWeight) return this.refuse(space, key, value);
    // The cache is full, and every entry weighs 1.
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

  /** Replaces an evicted entry with a new one. The policy has already done its part. */
  private supersede(victim: number, hash: number, space: number, key: K, value: V, how: Placement): boolean {
    const slot = this.policy.entering;
    this.removals.size++;
    if (this.hasListener) this.queueRemoval(victim, "size");
    // Nearly always true: one key of the table replaces another.
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

  /** Adds the entry of a slot to the index. */
  private index(slot: number, key: K, hash: number): void {
    if (isIndexed(key)) this.addKey(hash, slot);
    else this.otherKeys.set(key, slot);
  }

  /**
   * Gives a stored entry another value, weight and deadline. If it has expired, removes it and
   * inserts a new entry.
   */
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
      // The old value must not outlive the value that should have replaced it.
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

  /** Ends every `set`. `before` is the weight of the cache before it. */
  private afterWrite(before: number): void {
    if (this.isOverLimit) this.evict(before);
    if (!this.isFast) this.finish();
  }

  /** Returns the time, if the old or the new entry needs it. */
  private timeIfNeeded(slot: number, ttl: number): number | undefined {
    const { expiry } = this;
    return expiry.hasDeadline(slot) || expiry.needsTime(ttl) ? expiry.clock.now() : undefined;
  }

  /** Sets or clears the deadline of a new or overwritten entry. */
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

  /** Returns whether `find` found an entry that has not expired. */
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

  /** Reports a hit to a policy that has no marks. */
  private access(slot: number): void {
    this.policy.access(slot);
    if (this.custom !== undefined) this.custom.rethrow();
  }

  /** Reads an entry that may have expired. Reads the clock (35 ns) unless the time is given. */
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

/** Stores -0 as 0, as a Map does. */
function storedKey<K>(key: K): K {
  // 0 has the type of -0.
  return key === 0 ? (0 as K) : key;
}
