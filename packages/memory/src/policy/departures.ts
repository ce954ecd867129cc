/** Ways of a bucket: four neighbouring words, one cache line. */
const WAYS = 4;

/** A word is 24 bits of the hash and a tick of 8 bits, 1 to 255; 0 is an empty word. */
const TICK = 255;

/** How finely age is told: this many ticks to the period that a table was made for. */
const TICKS_PER_PERIOD = 32;

/**
 * The keys that left the admission window lately: the ghosts by which the window learns what it would gain by
 * being larger (as ARC and Cliffhanger learn it). Time is whatever the caller counts.
 *
 * A set-associative table of hash tags, 4 bytes each, that forgets by age: nothing is ever deleted, a word is
 * overwritten when it is the oldest of its bucket. A full bucket forgets a key too early, a tag in 2^24 is
 * taken for another, and after eight periods a word that nobody overwrote seems young again: all are rare,
 * and only tilt a statistic.
 */
export class Departures {
  table: Int32Array = new Int32Array(0);
  /** For how many keys the table was made. */
  room = 0;
  #perTick = 1;

  /** Remembers that the key left at `now`, for at least `period`, in which about `room` keys leave. */
  record(hash: number, now: number, period: number, room: number): void {
    if (room > this.room * 2 || room < this.room / 4) this.#resize(period, room);
    const { table } = this;
    const tag = hash & ~TICK;
    const tick = this.#tickAt(now);
    const first = this.#bucketOf(hash);
    let oldest = first;
    let greatest = -1;
    for (let at = first; at < first + WAYS; at++) {
      const word = table[at] as number;
      const age = (word & ~TICK) === tag ? TICK : ageOf(word, tick);
      if (age > greatest) {
        greatest = age;
        oldest = at;
      }
    }
    table[oldest] = tag | tick;
  }

  /** How long before `now` the key left, to a 32nd of the period that was recorded; `Infinity` if that is not known. */
  age(hash: number, now: number): number {
    if (this.room === 0) return Number.POSITIVE_INFINITY;
    const { table } = this;
    const tag = hash & ~TICK;
    const first = this.#bucketOf(hash);
    for (let at = first; at < first + WAYS; at++) {
      const word = table[at] as number;
      if (word !== 0 && (word & ~TICK) === tag) return ageOf(word, this.#tickAt(now)) * this.#perTick;
    }
    return Number.POSITIVE_INFINITY;
  }

  clear(): void {
    this.table = new Int32Array(0);
    this.room = 0;
  }

  #bucketOf(hash: number): number {
    return (Math.imul(hash, 0x85ebca6b) >>> 8) & (this.table.length - WAYS);
  }

  #tickAt(now: number): number {
    return (Math.floor(now / this.#perTick) % TICK) + 1;
  }

  /** A new table with twice the room or more; what the old one knew is forgotten. */
  #resize(period: number, room: number): void {
    let words = WAYS;
    while (words < room * 2) words *= 2;
    this.table = new Int32Array(words);
    this.room = room;
    this.#perTick = Math.ceil(period / TICKS_PER_PERIOD);
  }
}

/** How many ticks ago the word was written; the most there are for an empty one. */
function ageOf(word: number, tick: number): number {
  const written = word & TICK;
  return written === 0 ? TICK : (tick - written + TICK) % TICK;
}
