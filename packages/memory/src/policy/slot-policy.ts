import type { PerSlot } from "../table/per-slot.js";
import type { Slots } from "../table/slots.js";
import type { Standings } from "./standing.js";

/** Limits of a cache. Both hold at once; a limit that is not set is infinite. */
export interface Limits {
  /** Maximum number of entries; 2^24 at most. */
  readonly maxSize: number;
  /** Maximum total weight; `Infinity` if entries are only counted. */
  readonly maxWeight: number;
}

/** Counters of a cache. A policy that adapts itself reads them and never writes them. */
export interface Requests {
  hits: number;
  misses: number;
}

/** Context in which a policy is created. */
export interface PolicyContext<K = unknown, V = unknown> {
  /** Hash and weight of each slot, valid from `insert` until after `remove`. */
  readonly slots: Slots<K, V>;
  readonly limits: Limits;
  readonly requests: Requests;
  /**
   * Returns a random unsigned 32-bit integer. The only source of chance, so that a seed repeats
   * every decision.
   */
  readonly random: () => number;
}

/**
 * Interface between the cache and its policy.
 *
 * The cache has the index, keys, values, weights and expiry. A policy sees slot numbers only: small
 * integers below the capacity, unique among the stored entries, reused after `remove`. A policy
 * keeps its data per slot in arrays that `fitOne` resizes.
 *
 * The cache keeps the limits: after an `insert` or `update` it calls `evict` while it exceeds one.
 * The entry just inserted may be the victim, which is how admission works. Every method is bounded:
 * no call passes over all slots.
 */
export interface SlotPolicy extends PerSlot {
  /**
   * A byte per slot, or `null`. With marks, a hit is `marks[slot] = onHit[marks[slot]]` and nothing
   * else (about 1 ns), and `access` is never called. The cache reads the marks again after `fitOne`
   * and `clear`.
   */
  readonly marks: Uint8Array | null;

  /** Mark after a hit, by the mark before it: 256 bytes. */
  readonly onHit: Uint8Array;

  /** Adds a slot with a new entry. `slots` already knows its hash and weight. */
  insert(slot: number): void;

  /**
   * Inserts and evicts in one step, for a full cache in which every entry weighs 1. Chooses the
   * slot to evict and admits a newcomer with this hash. Returns -1 if nothing has changed, and the
   * cache must call `insert` and `evict`.
   */
  replace(hash: number): number;

  /**
   * Slot of the newcomer after `replace`. If it is not the evicted slot, its entry moves to the
   * evicted slot. So entries that come and go stay together in memory.
   */
  readonly entering: number;

  /** Handles a hit. Called only if `marks` is `null`. */
  access(slot: number): void;

  /**
   * Handles a new value, which counts as an access. The weight was `oldWeight` before. With marks,
   * called only if the weight changed; otherwise the cache marks the slot as for a hit.
   */
  update(slot: number, oldWeight: number): void;

  /** Removes a slot whose entry left without `evict`: expired or deleted. */
  remove(slot: number): void;

  /**
   * Chooses the slot to evict, removes it as `remove` does, and returns it. Called only while there
   * is an entry. Two calls would be too slow: an eviction is so short that a call counts.
   */
  evict(): number;

  /** Sets new limits. The cache removes the excess with `evict`, some of it in later operations. */
  resize(limits: Limits): void;

  /** Places of the entries, for a cache that is saved or restored. */
  readonly standings: Standings;

  /** Starts again without entries and with capacity 0. Learned frequencies may stay. */
  clear(): void;
}
