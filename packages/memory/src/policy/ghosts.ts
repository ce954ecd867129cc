/** Ways of a bucket: neighbouring words, one cache line. */
const WAYS = 4;

/** A word is 24 bits of the hash and a tick of 8 bits; 0 is an empty word. */
const TICK = 255;

/** The age of a key of which nothing is known: greater than any period. */
export const NEVER = 0x7fffffff;

/** How finely age is told: from this many to twice as many ticks to the period that a table was made for. */
const TICKS_PER_PERIOD = 16;

/**
 * The keys that left the admission window lately: the ghosts by which the window learns what it would gain by
 * being larger (as ARC and Cliffhanger learn it). Time is whatever the caller counts.
 *
 * A set-associative table of hash tags, 4 bytes each, that forgets by age: nothing is ever deleted, a word is
 * overwritten when it is the oldest of its bucket. A full bucket forgets a key too early, a tag in 2^24 is
 * taken for another, and after eight periods a word that nobody overwrote seems young again: all are rare,
 * and only tilt a statistic.
 */
export class Ghosts {
  table: Int32Array = new Int32Array(0);
  /** For how many keys the table was made. */
  capacity = 0;
  /** A tick is 2^`tickBits` of the caller's time. */
  private tickBits = 0;

  /** Remembers that the key left at `now`, for at least `period`, in which about `capacity` keys leave. */
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

  /** How long before `now` the key left, to the tick; `NEVER` if that is not known. */
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

  /** A new table with twice the room or more; what the old one knew is forgotten. */
  private resize(period: number, capacity: number): void {
    let words = WAYS;
    while (words < capacity * 2) words *= 2;
    this.table = new Int32Array(words);
    this.capacity = capacity;
    this.tickBits = Math.max(0, Math.floor(Math.log2(period / TICKS_PER_PERIOD)));
  }
}
