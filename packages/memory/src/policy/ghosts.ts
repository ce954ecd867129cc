/** Ways of a bucket: neighbouring words, one cache line. */
const WAYS = 4;

/** Mask of the tick. A word is 24 bits of the hash and a tick of 8 bits; 0 is an empty word. */
const TICK = 255;

/** Age of an unknown key: longer than any period. */
export const NEVER = 0x7fffffff;

/** Resolution of ages: the period of a table has from this many to twice as many ticks. */
const TICKS_PER_PERIOD = 16;

/**
 * Ghosts: the keys that left the admission window lately. They show what a larger window would gain
 * (as in ARC and Cliffhanger). The caller chooses the unit of time.
 *
 * The table is set-associative, with hash tags of 4 bytes. It forgets by age: nothing is ever
 * deleted, and a new word overwrites the oldest of its bucket. Three errors are rare, and only skew
 * a statistic. A full bucket forgets a key too early. One tag in 2^24 is taken for another. After
 * eight periods a word that was not overwritten seems young again.
 */
export class Ghosts {
  table: Int32Array = new Int32Array(0);
  /** Number of keys that the table was made for. */
  capacity = 0;
  /** A tick is 2^`tickBits` units of the caller's time. */
  private tickBits = 0;

  /**
   * Adds a key that left at `now`. Remembers it for at least `period`, in which about `capacity`
   * keys leave.
   */
  add(hash: number, now: number, period: number, capacity: number): void {
    if (capacity > this.capacity * 2 || capacity < this.capacity / 4) this.resize(period, capacity);
    const { table } = this;
    const tag = hash & ~TICK;
    const tick = (now >>> this.tickBits) & TICK;
    const first = this.bucketOf(hash);
    let oldest = first;
    let greatest = -1;
    for (let at = first; at < first + WAYS; at++) {
      const word = table[at] as number;
      const isFree = word === 0 || (word & ~TICK) === tag;
      const age = isFree ? TICK + 1 : (tick - word) & TICK;
      if (age > greatest) {
        greatest = age;
        oldest = at;
      }
    }
    table[oldest] = tag | tick;
  }

  /** Returns how long before `now` the key left, to the tick, or `NEVER` if that is unknown. */
  age(hash: number, now: number): number {
    if (this.capacity === 0) return NEVER;
    const { table } = this;
    const tag = hash & ~TICK;
    const first = this.bucketOf(hash);
    for (let at = first; at < first + WAYS; at++) {
      const word = table[at] as number;
      if (word !== 0 && (word & ~TICK) === tag) {
        return (((now >>> this.tickBits) - word) & TICK) << this.tickBits;
      }
    }
    return NEVER;
  }

  clear(): void {
    this.table = new Int32Array(0);
    this.capacity = 0;
  }

  private bucketOf(hash: number): number {
    return (Math.imul(hash, 0x85ebca6b) >>> 8) & (this.table.length - WAYS);
  }

  /** Creates an empty table with at least twice the capacity. The old ghosts are lost. */
  private resize(period: number, capacity: number): void {
    let words = WAYS;
    while (words < capacity * 2) words *= 2;
    this.table = new Int32Array(words);
    this.capacity = capacity;
    this.tickBits = Math.max(0, Math.floor(Math.log2(period / TICKS_PER_PERIOD)));
  }
}
