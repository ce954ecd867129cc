import type { Fitting } from "./column.js";
import type { PerSlot } from "./room.js";

/**
 * Keys and values lie in chunks: one array of a million stalls 17 ms when V8 lengthens it, a chunk never. A key and its
 * value are neighbours, so that a hit in a large cache misses the processor's cache once for both (a third faster).
 */
export const CHUNK_BITS = 11;

/** The compiler folds a module's own constants only: one that is imported or exported is loaded and checked at each use. */
const BITS = CHUNK_BITS;
const MASK = (1 << BITS) - 1;

type Chunk<K, V> = (K | V | typeof FREE | number | undefined)[];

/** The value of a slot that is not held. */
const FREE: unique symbol = Symbol("free");

/** The largest number of entries that a cache holds: what a slot number in the index has room for. */
export const MOST_SLOTS: number = 1 << 24;

/**
 * What is kept per entry: key, value, hash, and, from the first time one is used, space and weight.
 *
 * An entry is a slot, a number; there is no object per entry. Slots are used again in the reverse order of
 * their release. How many there are, room.ts decides.
 */
export class Slots<K, V> implements PerSlot {
  /** Slots below this may be used without growing. */
  capacity = 0;
  hashes: Int32Array = new Int32Array(0);
  spaces: Int32Array | null = null;
  weights: Float64Array | null = null;
  /** Of each slot its key at 2 × slot and its value behind it. */
  readonly chunks: Chunk<K, V>[] = [];
  /** Slots from here on were never used. */
  unused = 0;
  /**
   * The first released slot or -1. They are a list in both directions: to the next through their hashes, back through where
   * their keys were, which is not read of the first. So one can be taken out without a column more.
   */
  free = -1;

  /** Whether `allocate` needs more room first. */
  get isFull(): boolean {
    return this.free < 0 && this.unused === this.capacity;
  }

  fitOne(capacity: number, fitting: Fitting): boolean {
    if (this.hashes.length !== capacity) this.hashes = fitting.fit(this.hashes, capacity);
    else if (this.spaces !== null && this.spaces.length !== capacity)
      this.spaces = fitting.fit(this.spaces, capacity);
    else if (this.weights !== null && this.weights.length !== capacity)
      this.weights = fitting.fit(this.weights, capacity);
    else return false;
    return true;
  }

  /** The entry of `from` moves to `to`, which `takeFree` gave. `from` is neither held nor free then. */
  moveSlot(from: number, to: number): void {
    const chunk = this.#chunkOf(to);
    chunk[(to & MASK) << 1] = this.keyAt(from);
    chunk[((to & MASK) << 1) + 1] = this.valueAt(from);
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
    if (this.free >= 0) this.#chunkOf(this.free)[(this.free & MASK) << 1] = slot;
    this.hashes[slot] = this.free;
    this.free = slot;
  }

  /** Takes the first free slot, which there must be, without giving it an entry. */
  takeFree(): number {
    const slot = this.free;
    this.free = this.hashAt(slot);
    return slot;
  }

  /** Takes a slot out of the free ones. */
  unchain(slot: number): void {
    const after = this.hashAt(slot);
    if (slot === this.free) {
      this.free = after;
      return;
    }
    const before = this.#chunkOf(slot)[(slot & MASK) << 1] as number;
    this.hashes[before] = after;
    if (after >= 0) this.#chunkOf(after)[(after & MASK) << 1] = before;
  }

  /** The last slot in use, neither held nor free, becomes one that was never used. */
  dropLast(): void {
    const slot = --this.unused;
    const chunk = this.#chunkOf(slot);
    const at = (slot & MASK) << 1;
    if (at === 0) this.chunks.pop();
    else {
      chunk[at] = undefined;
      chunk[at + 1] = FREE;
    }
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
      this.weights = new Float64Array(this.hashes.length).fill(1, 0, this.unused);
    }
    this.weights[slot] = weight;
  }

  #chunkOf(slot: number): Chunk<K, V> {
    return this.chunks[slot >>> BITS] as Chunk<K, V>;
  }

  /** Spaces cost 4 bytes an entry, from the first entry outside space 0. */
  #useSpaces(slot: number, space: number): void {
    this.spaces = new Int32Array(this.hashes.length);
    this.spaces[slot] = space;
  }
}
