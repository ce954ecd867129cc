import { LONGEST_COPIED, lengthen } from "./column.js";

/**
 * Keys and values lie in chunks: one array of a million stalls 17 ms when V8 lengthens it, a chunk never. A key and its
 * value are neighbours, so that a hit in a large cache misses the processor's cache once for both (a third faster).
 */
export const CHUNK_BITS = 11;

/** The compiler folds a module's own constants only: one that is imported or exported is loaded and checked at each use. */
const BITS = CHUNK_BITS;
const MASK = (1 << BITS) - 1;

type Chunk<K, V> = (K | V | typeof FREE | undefined)[];

/** A cache of at most so many entries gets all its capacity at once when it has outgrown what is copied. */
const LARGEST_AT_ONCE = 1 << 21;

const SMALLEST = 16;

/** The value of a slot that is not held. */
const FREE: unique symbol = Symbol("free");

/** The largest number of entries that a cache holds: what a slot number in the index has room for. */
export const MOST_SLOTS: number = 1 << 24;

/**
 * What is kept per entry: key, value, hash, and, from the first time one is used, space and weight.
 *
 * An entry is a slot, a number; there is no object per entry. Slots are used again in the reverse order of
 * their release, and lengthened by steps, so that memory follows what is held.
 */
export class Slots<K, V> {
  /** Slots below this may be used without growing. */
  capacity = 0;
  hashes: Int32Array = new Int32Array(0);
  spaces: Int32Array | null = null;
  weights: Float64Array | null = null;
  /** Of each slot its key at 2 × slot and its value behind it. */
  readonly chunks: Chunk<K, V>[] = [];
  /** Slots from here on were never used. */
  unused = 0;
  /** The first released slot or -1; the others are chained through their hashes, which they need no more. */
  free = -1;

  /** Whether `allocate` needs a `grow` first. */
  get isFull(): boolean {
    return this.free < 0 && this.unused === this.capacity;
  }

  /**
   * More capacity, for a cache of `maxSize` entries: twice as much while that is little to copy, then either all there will
   * be, or, where that is more than two million, an eighth more each time, in place (see column.ts).
   */
  grow(maxSize: number = MOST_SLOTS): void {
    const { capacity } = this;
    // One slot more than entries: a newcomer is held beside the one that it drives out.
    const most = Math.max(maxSize, capacity) + 1;
    const isSmall = 2 * capacity <= LONGEST_COPIED;
    if (maxSize <= LARGEST_AT_ONCE && (!isSmall || most <= 4 * capacity)) this.capacity = most;
    else
      this.capacity = Math.min(
        most,
        isSmall ? Math.max(SMALLEST, 2 * capacity) : capacity + (capacity >>> 3),
      );
    this.hashes = lengthen(this.hashes, this.capacity);
    if (this.spaces !== null) this.spaces = lengthen(this.spaces, this.capacity);
    if (this.weights !== null) this.weights = lengthen(this.weights, this.capacity);
  }

  /** Takes a slot for an entry of weight 1. */
  allocate(key: K, value: V, hash: number, space: number): number {
    let slot = this.free;
    if (slot >= 0) {
      this.free = this.hashes[slot] as number;
    } else {
      slot = this.unused++;
      if ((slot & MASK) === 0) {
        this.chunks.push([]);
      }
    }
    const chunk = this.#chunkOf(slot);
    const at = (slot & MASK) << 1;
    chunk[at] = key;
    chunk[at + 1] = value;
    this.hashes[slot] = hash;
    if (this.spaces !== null) this.spaces[slot] = space;
    else if (space !== 0) this.#useSpaces(slot, space);
    if (this.weights !== null) this.weights[slot] = 1;
    return slot;
  }

  release(slot: number): void {
    const chunk = this.#chunkOf(slot);
    const at = (slot & MASK) << 1;
    chunk[at] = undefined;
    chunk[at + 1] = FREE;
    this.hashes[slot] = this.free;
    this.free = slot;
  }

  /** Forgets everything and gives the memory back. */
  clear(): void {
    this.capacity = 0;
    this.hashes = new Int32Array(0);
    this.spaces = null;
    this.weights = null;
    this.chunks.length = 0;
    this.unused = 0;
    this.free = -1;
  }

  isHeld(slot: number): boolean {
    return this.#chunkOf(slot)[((slot & MASK) << 1) + 1] !== FREE;
  }

  // Below, the casts: an index below `capacity` is always there, and a held slot has a key and a value.

  keyAt(slot: number): K {
    return this.#chunkOf(slot)[(slot & MASK) << 1] as K;
  }

  valueAt(slot: number): V {
    return (this.chunks[slot >>> BITS] as Chunk<K, V>)[((slot & MASK) << 1) + 1] as V;
  }

  setValue(slot: number, value: V): void {
    this.#chunkOf(slot)[((slot & MASK) << 1) + 1] = value;
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

  /** Weights cost 8 bytes an entry, from the first entry whose weight is not 1. */
  setWeight(slot: number, weight: number): void {
    if (this.weights === null) {
      if (weight === 1) return;
      this.weights = lengthen(new Float64Array(0), this.capacity).fill(1, 0, this.unused);
    }
    this.weights[slot] = weight;
  }

  #chunkOf(slot: number): Chunk<K, V> {
    return this.chunks[slot >>> BITS] as Chunk<K, V>;
  }

  /** Spaces cost 4 bytes an entry, from the first entry outside space 0. */
  #useSpaces(slot: number, space: number): void {
    this.spaces = lengthen(new Int32Array(0), this.capacity);
    this.spaces[slot] = space;
  }
}
