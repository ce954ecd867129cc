import { Fitting } from "../table/column.js";

/**
 * A block: four words, one per row, of eight 4-bit counters each. 16 bytes, so an estimate reads
 * one cache line.
 */
const WORD_BITS = 2;
const WORDS = 1 << WORD_BITS;

/**
 * Maximum of a counter. A higher one would add nothing: ageing keeps all but the most popular keys
 * far below.
 */
export const enum Count {
  Most = 15,
}

/** Blocks for one entry: 16 counters (8 bytes). */
const BLOCKS_PER_ENTRY = 1 / 2;

/**
 * Minimum number of wanted blocks: 16 KB, enough for 2,048 entries. A small cache sees many times
 * more keys than it stores. With fewer counters every newcomer would seem as popular as the
 * entries.
 */
const FEWEST_BLOCKS = 1024;

/** Blocks at the start: 256 bytes, so that a cache that is hardly used costs hardly anything. */
const FIRST_BLOCKS = 16;

/**
 * Blocks added per step of growth, one step an insertion. An insertion wants half a block more, so
 * this catches up.
 */
const SPLIT_AT_ONCE = 4;

/** Blocks removed per step of shrinking. */
const MERGED_AT_ONCE = 512;

/**
 * Multiplier that spreads a hash over the bits that choose the counters. The low bits of the hash
 * itself choose the block.
 */
const SPREAD = 0x9e3779b1 | 0;

/** Mask that clears the bit that a halved counter would get from its neighbour. */
const HALVED = 0x77777777;

/**
 * Counts how often keys were inserted lately. It is a count-min sketch of 4-bit counters (Cormode
 * and Muthukrishnan, 2005) with conservative update (Estan and Varghese, 2002). It is blocked: a
 * key's four counters are neighbours.
 *
 * It grows by linear hashing (Litwin, 1980), block by block. A new block starts as the copy of the
 * block whose keys it takes over. So no estimate falls and nothing is rehashed. Ageing seems to
 * halve all counters at one moment, but works block by block: blocks that the sweep has not reached
 * yet count in halves.
 */
export class FrequencySketch {
  table: Int32Array = new Int32Array(0);
  /** Blocks in use. */
  blocks = 0;
  /** Wanted blocks. The sketch grows towards them as keys come. */
  wanted = 0;
  /** First block that is still to be halved; `blocks` if no sweep is running. */
  swept = 0;
  /** Largest power of two that is not above `blocks`, less 1. */
  private mask = 0;
  /** Whether there are more blocks than wanted, so that `fitOne` removes them. */
  isShrinking = false;
  private readonly fitting = new Fitting();

  /**
   * Sizes the sketch for the history of a cache of `entries`. It grows as keys come. For fewer
   * entries than before it shrinks, some blocks with each call (20 µs). Returns true while it
   * shrinks.
   */
  fitOne(entries: number): boolean {
    const wanted = Math.max(FEWEST_BLOCKS, Math.ceil(entries * BLOCKS_PER_ENTRY));
    if (wanted !== this.wanted) {
      this.isShrinking = wanted < this.blocks && wanted < this.wanted;
      this.fitting.stop();
    }
    this.wanted = wanted;
    if (this.blocks === 0) this.begin();
    if (!this.isShrinking) return false;
    if (this.isAgeing) this.sweep(MERGED_AT_ONCE);
    else this.merge();
    return true;
  }

  /** Counts the key and returns its frequency including this time, 1 to 15. */
  increment(hash: number): number {
    const block = this.blockOf(hash);
    const isHalved = block < this.swept;
    const raised = this.lift(block, hash, isHalved ? 1 : 2, 0);
    return isHalved ? raised : raised >>> 1;
  }

  /**
   * Returns the frequency of a key, 0 to 15. Too high if all its counters are shared, never too
   * low.
   */
  estimate(hash: number): number {
    const block = this.blockOf(hash);
    const counted = this.lift(block, hash, 0, 0);
    return block < this.swept ? counted : counted >>> 1;
  }

  /** Raises the frequency of a key to at least `frequency`, which was counted elsewhere. */
  raise(hash: number, frequency: number): void {
    const block = this.blockOf(hash);
    this.lift(block, hash, 0, block < this.swept ? frequency : frequency << 1);
  }

  /** Whether `advance` has work to do. */
  get isBusy(): boolean {
    return this.swept < this.blocks || this.blocks < this.wanted;
  }

  /** Whether the last ageing has not reached every block yet. */
  get isAgeing(): boolean {
    return this.swept < this.blocks;
  }

  /** Halves every frequency. Must not be called while `isAgeing`. `advance` does the work. */
  age(): void {
    this.swept = 0;
  }

  /** Takes a step of the pending work: halves up to `blocks` blocks, or adds a few. */
  advance(blocks: number): void {
    if (this.isAgeing) this.sweep(blocks);
    else if (this.blocks < this.wanted) this.split();
  }

  clear(): void {
    this.table = new Int32Array(0);
    this.blocks = 0;
    this.wanted = 0;
    this.swept = 0;
    this.mask = 0;
    this.isShrinking = false;
    this.fitting.stop();
  }

  private begin(): void {
    this.table = new Int32Array(FIRST_BLOCKS * WORDS);
    this.blocks = FIRST_BLOCKS;
    this.swept = FIRST_BLOCKS;
    this.mask = FIRST_BLOCKS - 1;
  }

  /**
   * Returns the block of a hash, without a branch: chance decides whether the hash names a block
   * beyond the last.
   */
  private blockOf(hash: number): number {
    const block = hash & ((this.mask << 1) | 1);
    const isBeyond = (this.blocks - 1 - block) >> 31;
    return block - (isBeyond & (this.mask + 1));
  }

  /**
   * Raises a key by `by`, and to at least `floor`, in the block's own scale. Returns the new count.
   * Conservative update: raises only its counters that are too low, by the difference. Every
   * insertion calls this, so it reads one cache line only. No branch depends on a counter, because
   * the processor would predict it wrongly every other time (5 ns).
   */
  private lift(block: number, hash: number, by: number, floor: number): number {
    const { table } = this;
    const at = block << WORD_BITS;
    const spread = Math.imul(hash, SPREAD);
    const shiftA = (spread >>> 27) & 28;
    const shiftB = (spread >>> 24) & 28;
    const shiftC = (spread >>> 21) & 28;
    const shiftD = (spread >>> 18) & 28;
    const wordA = table[at] as number;
    const wordB = table[at | 1] as number;
    const wordC = table[at | 2] as number;
    const wordD = table[at | 3] as number;
    const a = (wordA >>> shiftA) & 15;
    const b = (wordB >>> shiftB) & 15;
    const c = (wordC >>> shiftC) & 15;
    const d = (wordD >>> shiftD) & 15;
    const once = least(least(a, b), least(c, d)) + by;
    const raised = least(once + excess(floor, once), Count.Most);
    table[at] = wordA + (excess(raised, a) << shiftA);
    table[at | 1] = wordB + (excess(raised, b) << shiftB);
    table[at | 2] = wordC + (excess(raised, c) << shiftC);
    table[at | 3] = wordD + (excess(raised, d) << shiftD);
    return raised;
  }

  private sweep(blocks: number): void {
    const { table } = this;
    const end = Math.min(this.swept + blocks, this.blocks);
    for (let word = this.swept * WORDS; word < end * WORDS; word++) {
      table[word] = ((table[word] as number) >>> 1) & HALVED;
    }
    this.swept = end;
  }

  private split(): void {
    const end = Math.min(this.blocks + SPLIT_AT_ONCE, this.wanted);
    if (end * WORDS > this.table.length) {
      this.table = this.fitting.fit(this.table, Math.min(this.blocks * 2, this.wanted) * WORDS);
      if (end * WORDS > this.table.length) return;
    }
    const { table } = this;
    for (let block = this.blocks; block < end; block++) {
      if (block > ((this.mask << 1) | 1)) this.mask = (this.mask << 1) | 1;
      const parent = (block & this.mask) * WORDS;
      for (let word = 0; word < WORDS; word++) {
        table[block * WORDS + word] = table[parent + word] as number;
      }
    }
    this.blocks = end;
    this.swept = end;
  }

  /**
   * Reverses `split`: merges a block into the block that it was copied from, so that no estimate
   * falls.
   */
  private merge(): void {
    const { table } = this;
    const end = Math.max(this.wanted, this.blocks - MERGED_AT_ONCE);
    for (let block = this.blocks - 1; block >= end; block--) {
      if (block <= this.mask) this.mask >>>= 1;
      const parent = (block & this.mask) * WORDS;
      for (let word = 0; word < WORDS; word++) {
        table[parent + word] = greatestOf(
          table[parent + word] as number,
          table[block * WORDS + word] as number,
        );
      }
    }
    this.blocks = Math.min(this.blocks, end);
    this.swept = this.blocks;
    if (this.blocks > this.wanted) return;
    this.table = this.fitting.fit(table, this.blocks * WORDS);
    this.isShrinking = this.table.length > this.blocks * WORDS;
  }
}

/** Returns the lesser of two small numbers. `Math.min` compiles to a branch. */
function least(one: number, other: number): number {
  return other + ((one - other) & ((one - other) >> 31));
}

/** Returns by how much `one` exceeds `other`, or 0. */
function excess(one: number, other: number): number {
  return (one - other) & ~((one - other) >> 31);
}

/** Returns the greater of each pair of eight counters. */
function greatestOf(one: number, other: number): number {
  let greatest = 0;
  for (let shift = 0; shift < 32; shift += 4) {
    greatest |= Math.max((one >>> shift) & 15, (other >>> shift) & 15) << shift;
  }
  return greatest;
}
