import type { PerSlot } from "../table/per-slot.js";
import type { Slots } from "../table/slots.js";

/** How much a cache may hold. Both limits hold at once; the one that is not set is infinite. */
export interface Limits {
  /** Most entries. Never above 2^24. */
  readonly maxSize: number;
  /** Most total weight; `Infinity` where entries are only counted. */
  readonly maxWeight: number;
}

/** What a cache counts as it is read: a policy that adapts itself reads these, and writes none of them. */
export interface Requests {
  hits: number;
  misses: number;
}

/** What a policy is made with. */
export interface PolicyContext<K = unknown, V = unknown> {
  /** Hash and weight of each slot: valid from `insert` until after `remove`. */
  readonly slots: Slots<K, V>;
  readonly limits: Limits;
  readonly requests: Requests;
  /** A random unsigned 32-bit integer. The one source of chance, so that a seed repeats every decision. */
  readonly random: () => number;
}

/**
 * The seam between the cache and what decides who has to go.
 *
 * The cache owns the index, keys, values, weights and expiry; a policy sees slot numbers only: small integers
 * below the capacity, unique among the entries held, reused after `remove`. A policy keeps what it needs per
 * slot in arrays that `fitOne` lengthens and shortens.
 *
 * The cache keeps the limits: after an `insert` or `update` it calls `evict` while it is above a limit. The entry
 * just inserted may be the one to go (that is how admission works).
 * Every method is bounded: no pass over all slots in one call.
 */
export interface SlotPolicy extends PerSlot {
  /**
   * A byte per slot, or `null`. Where it is there, a hit is `marks[slot] = onHit[marks[slot]]` and nothing
   * else (about 1 ns); `access` is then never called. Read again by the cache after `fitOne` and `clear`.
   */
  readonly marks: Uint8Array | null;

  /** 256 bytes: what a hit makes of a slot's mark. */
  readonly onHit: Uint8Array;

  /** The slot now holds an entry that was not held before; `slots` knows its hash and weight. */
  insert(slot: number): void;

  /**
   * The short way of `insert` and `evict`, where the cache is full and every entry weighs 1: chooses the slot to evict and takes a
   * newcomer with this hash in. -1, and nothing has changed, where that has to go the long way.
   */
  replace(hash: number): number;

  /**
   * The slot that the newcomer gets, after `replace`. If it is not the one to evict, there is an entry in it, which moves to that
   * one: so those that come and go stay together in memory.
   */
  readonly entering: number;

  /** The slot's entry was hit. Called only where `marks` is `null`. */
  access(slot: number): void;

  /**
   * The slot's value was replaced, which counts as an access; its weight was `oldWeight` before. Where there are marks,
   * called only if the weight changed: otherwise the cache marks the slot as for a hit.
   */
  update(slot: number, oldWeight: number): void;

  /** The slot's entry is gone for another cause than `evict`: expired, deleted. */
  remove(slot: number): void;

  /**
   * Chooses the slot to evict next, forgets it as `remove` does, and returns it. Called only while an entry is held.
   * One call instead of two: an eviction is short enough that a call counts.
   */
  evict(): number;

  /** New limits. What is too much now is evicted through `evict`, some of it by later operations. */
  resize(limits: Limits): void;

  /** Nothing is held any more and the capacity is 0: as new. What was learned of frequencies may stay. */
  clear(): void;
}
