import { Chunk, fitChunks } from "./chunks.js";
import type { Fitting } from "./column.js";
import type { PerSlot } from "./per-slot.js";

/** Value of a slot without an entry. */
const FREE: unique symbol = Symbol("free");

/**
 * Maximum number of entries of a cache. The index has 25 bits for a slot number + 1, so one more
 * entry fits while it is admitted.
 */
export const MOST_SLOTS: number = 1 << 24;

/**
 * Keeps per entry the key, value and hash. Keeps space and weight from the first entry that has
 * one.
 *
 * An entry is a slot, a number; there is no object per entry. Slots are reused in the reverse order
 * of their release. `capacity.ts` decides how many there are.
 */
export class Slots<K, V> implements PerSlot {
  /** Number of slots that can be used without growing. */
  slotCount = 0;
  hashes: Int32Array = new Int32Array(0);
  spaces: Int32Array | null = null;
  weights: Float64Array | null = null;
  /**
   * Chunks of the keys and of the values. The first chunk of each also has a field of its own: see
   * `chunks.ts`.
   */
  keyChunks: (K | number | undefined)[][] = [];
  valueChunks: (V | typeof FREE)[][] = [];
  firstKeys: (K | number | undefined)[] = [];
  firstValues: (V | typeof FREE)[] = [];
  /** First slot that was never used. All slots above it were never used, either. */
  unused = 0;
  /**
   * First free slot, or -1. The free slots form a doubly linked list, so that one can be taken out
   * without another column. The hashes link forwards. The keys link back, and the first free slot
   * has no valid link back.
   */
  free = -1;

  /** Whether the slots must grow before `allocate`. */
  get isFull(): boolean {
    return this.free < 0 && this.unused === this.slotCount;
  }

  fitOne(capacity: number, fitting: Fitting): boolean {
    if (fitChunks(this.keyChunks, capacity, undefined)) this.firstKeys = this.keyChunks[0] ?? [];
    else if (fitChunks(this.valueChunks, capacity, FREE)) this.firstValues = this.valueChunks[0] ?? [];
    else if (this.hashes.length !== capacity) this.hashes = fitting.fit(this.hashes, capacity);
    else if (this.spaces !== null && this.spaces.length !== capacity)
      this.spaces = fitting.fit(this.spaces, capacity);
    else if (this.weights !== null && this.weights.length !== capacity)
      this.weights = fitting.fit(this.weights, capacity);
    else return false;
    return true;
  }

  /**
   * Moves an entry from `from` to `to`. `to` must not be free; its own entry, if it had one, is
   * gone. Afterwards `from` is neither stored nor free.
   */
  moveSlot(from: number, to: number): void {
    this.setKey(to, this.keyAt(from));
    this.setValue(to, this.valueAt(from));
    this.hashes[to] = this.hashAt(from);
    if (this.spaces !== null) this.spaces[to] = this.spaceOf(from);
    if (this.weights !== null) this.weights[to] = this.weightOf(from);
  }

  /** Takes a slot for an entry of weight 1. */
  allocate(key: K, value: V, hash: number, space: number): number {
    let slot = this.free;
    if (slot >= 0) {
      this.free = this.hashes[slot] as number;
    } else {
      slot = this.unused++;
    }
    this.occupy(slot, key, value, hash, space);
    if (this.weights !== null) this.weights[slot] = 1;
    return slot;
  }

  /** Puts an entry into a slot that was taken. Its weight stays. */
  protected occupy(slot: number, key: K, value: V, hash: number, space: number): void {
    this.setKey(slot, key);
    this.setValue(slot, value);
    this.hashes[slot] = hash;
    if (this.spaces !== null) this.spaces[slot] = space;
    else if (space !== 0) this.useSpaces(slot, space);
  }

  release(slot: number): void {
    this.setKey(slot, undefined);
    this.setValue(slot, FREE);
    if (this.free >= 0) this.setKey(this.free, slot);
    this.hashes[slot] = this.free;
    this.free = slot;
  }

  /** Takes the first free slot without storing an entry. There must be one. */
  takeFree(): number {
    const slot = this.free;
    this.free = this.hashAt(slot);
    return slot;
  }

  /** Takes a slot out of the list of free ones. */
  unlinkFree(slot: number): void {
    const after = this.hashAt(slot);
    if (slot === this.free) {
      this.free = after;
      return;
    }
    const before = this.keyAt(slot) as unknown as number;
    this.hashes[before] = after;
    if (after >= 0) this.setKey(after, before);
  }

  /** Marks the last slot in use, which is neither stored nor free, as never used. */
  releaseLast(): void {
    const slot = --this.unused;
    this.setKey(slot, undefined);
    this.setValue(slot, FREE);
  }

  /** Removes everything and frees the memory. */
  clear(): void {
    this.slotCount = 0;
    this.hashes = new Int32Array(0);
    this.spaces = null;
    this.weights = null;
    this.keyChunks = [];
    this.valueChunks = [];
    this.firstKeys = [];
    this.firstValues = [];
    this.unused = 0;
    this.free = -1;
  }

  isHeld(slot: number): boolean {
    return this.valueAt(slot) !== FREE;
  }

  // The casts below are safe: an index below `slotCount` exists, and a stored slot has a key and a
  // value.

  keyAt(slot: number): K {
    const chunk = slot < Chunk.Size ? this.firstKeys : (this.keyChunks[slot >>> Chunk.Bits] as K[]);
    return chunk[slot & Chunk.Mask] as K;
  }

  valueAt(slot: number): V {
    const chunk = slot < Chunk.Size ? this.firstValues : (this.valueChunks[slot >>> Chunk.Bits] as V[]);
    return chunk[slot & Chunk.Mask] as V;
  }

  setValue(slot: number, value: V | typeof FREE): void {
    const chunk = slot < Chunk.Size ? this.firstValues : (this.valueChunks[slot >>> Chunk.Bits] as V[]);
    (chunk as unknown[])[slot & Chunk.Mask] = value;
  }

  private setKey(slot: number, key: K | number | undefined): void {
    const chunk = slot < Chunk.Size ? this.firstKeys : (this.keyChunks[slot >>> Chunk.Bits] as K[]);
    (chunk as unknown[])[slot & Chunk.Mask] = key;
  }

  hashAt(slot: number): number {
    return this.hashes[slot] as number;
  }

  spaceOf(slot: number): number {
    return this.spaces === null ? 0 : (this.spaces[slot] as number);
  }

  weightOf(slot: number): number {
    return this.weights === null ? 1 : (this.weights[slot] as number);
  }

  /** Sets the weight. Weights cost 8 bytes an entry, from the first weight other than 1. */
  setWeight(slot: number, weight: number): void {
    if (this.weights === null) {
      if (weight === 1) return;
      this.weights = new Float64Array(this.hashes.length).fill(1, 0, this.unused);
    }
    this.weights[slot] = weight;
  }

  /**
   * Creates the column of spaces. It costs 4 bytes an entry, from the first entry outside space 0.
   */
  private useSpaces(slot: number, space: number): void {
    this.spaces = new Int32Array(this.hashes.length);
    this.spaces[slot] = space;
  }
}
