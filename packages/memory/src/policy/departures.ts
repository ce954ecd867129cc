/** Ways of a bucket: four neighbouring words, one cache line. */
const WAYS = 4;

/** A word is 24 bits of the hash and a tick of 8 bits, 1 to 255; 0 is an empty word. */
const TICK = 255;

/** How finely age is told: the period that is asked for lasts about this many ticks, at least half of it. */
const TICKS_PER_PERIOD = 32;

/**
 * The keys that left the admission window lately, in the order in which they left: the ghosts by which the
 * window learns what it would gain by being larger (as ARC and Cliffhanger learn it).
 *
 * A set-associative table of hash tags, 4 bytes each, that forgets by age: nothing is ever deleted, a word is
 * overwritten when it is the oldest of its bucket. A full bucket forgets a key too early, a tag in 2^24 is
 * taken for another: both are rare, and only tilt a statistic.
 */
export class Departures {
  table: Int32Array = new Int32Array(0);
  /** For how many departures the table was made. */
  period = 0;
  #ticks = 0;
  #perTick = 1;
  #untilTick = 0;
  #tick = 1;

  /** Remembers that the key left, among the last `period` ones to leave. */
  record(hash: number, period: number): void {
    if (period > this.period * 2 || period < this.period / 4) this.#resize(period);
    if (--this.#untilTick <= 0) this.#nextTick(period);
    const { table } = this;
    const tag = hash & ~TICK;
    const first = this.#bucketOf(hash);
    let oldest = first;
    let greatest = -1;
    for (let at = first; at < first + WAYS; at++) {
      const word = table[at] as number;
      const age = (word & ~TICK) === tag ? TICK : this.#ageOf(word);
      if (age > greatest) {
        greatest = age;
        oldest = at;
      }
    }
    table[oldest] = tag | this.#tick;
  }

  /** Whether the key is among the last ones to leave. */
  has(hash: number): boolean {
    if (this.period === 0) return false;
    const { table } = this;
    const tag = hash & ~TICK;
    const first = this.#bucketOf(hash);
    for (let at = first; at < first + WAYS; at++) {
      const word = table[at] as number;
      if ((word & ~TICK) === tag && this.#ageOf(word) < this.#ticks) return true;
    }
    return false;
  }

  clear(): void {
    this.table = new Int32Array(0);
    this.period = 0;
    this.#untilTick = 0;
  }

  #bucketOf(hash: number): number {
    return (Math.imul(hash, 0x85ebca6b) >>> 8) & (this.table.length - WAYS);
  }

  #ageOf(word: number): number {
    const tick = word & TICK;
    return tick === 0 ? TICK : (this.#tick - tick + TICK) % TICK;
  }

  #nextTick(period: number): void {
    this.#tick = (this.#tick % TICK) + 1;
    this.#untilTick = this.#perTick;
    this.#ticks = Math.max(1, Math.round(period / this.#perTick));
  }

  /** A new table, twice as large as the period or more; what the old one knew is forgotten. */
  #resize(period: number): void {
    let words = WAYS;
    while (words < period * 2) words *= 2;
    this.table = new Int32Array(words);
    this.period = period;
    this.#perTick = Math.ceil(period / TICKS_PER_PERIOD);
    this.#untilTick = 0;
  }
}
