import type { Clock } from "../clock.js";

/** The part of a storage that tells its time. */
export interface Timekeeper {
  time(): Promise<number>;
  readonly timePrecision?: number | undefined;
}

/** The age, in milliseconds, at which a sample is too old. */
const sampleAge = 10 * 60_000;

/**
 * The difference, in milliseconds, between the wall clock's progress and the elapsed time that
 * shows that the clock was set.
 */
const jump = 1_000;

/** One reading of both clocks. */
interface Sample {
  /** The storage's time minus ours. */
  readonly offset: number;
  /** The largest possible error of the offset. */
  readonly uncertainty: number;
  /** The time of the reading, by our wall clock and by the clock that nobody sets. */
  readonly wall: number;
  readonly elapsed: number;
}

/**
 * Estimates the offset of a storage's clock from ours, as NTP does (RFC 5905, section 8). The error
 * is at most half a round trip. Entries carry the storage's time, so that processes with different
 * clocks agree which entries are fresh.
 */
export class StorageClock {
  readonly #storage: Timekeeper;
  readonly #clock: Clock;
  #sample: Sample | undefined;
  #sampling: Promise<void> | undefined;
  #wasAsked = false;
  /** Milliseconds to add to our time for the storage's; 0 until a sample is taken. */
  offset = 0;

  constructor(storage: Timekeeper, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /**
   * Settles after the first sample. Returns `undefined` if there was one already, as nearly always.
   */
  known(): Promise<void> | undefined {
    return this.#wasAsked ? undefined : this.sample();
  }

  /**
   * Reads the storage's clock, unless that was done recently. Call it whenever the storage is used.
   */
  check(): void {
    if (this.#sampling === undefined && this.#isDue()) void this.sample();
  }

  /** Settles when the storage has answered with its time. A storage in trouble changes nothing. */
  sample(): Promise<void> {
    this.#sampling ??= this.#take().finally(() => {
      this.#sampling = undefined;
    });
    return this.#sampling;
  }

  #isDue(): boolean {
    const clock = this.#clock;
    const last = this.#sample;
    if (last === undefined) return true;
    const elapsed = clock.elapsed() - last.elapsed;
    return elapsed > sampleAge || Math.abs(clock.now() - last.wall - elapsed) > jump;
  }

  /**
   * Returns a function that takes the storage's time in the answer of another call as a sample. Call
   * this one when that call is sent.
   */
  sent(): (time: number) => void {
    const [wall, elapsed] = [this.#clock.now(), this.#clock.elapsed()];
    return (time) => this.#consider(time, wall, elapsed);
  }

  async #take(): Promise<void> {
    const answered = this.sent();
    try {
      answered(await this.#storage.time());
    } catch {
      // The storage's own calls report its trouble. Its next use takes another sample.
    } finally {
      this.#wasAsked = true;
    }
  }

  /** Takes the sample if it is better than the last one, or if that one is due. */
  #consider(time: number, wall: number, elapsed: number): void {
    const roundTrip = this.#clock.elapsed() - elapsed;
    // On average the clock has advanced by half a tick since it was read.
    const halfTick = (this.#storage.timePrecision ?? 1) / 2;
    const offset = Math.floor(time + halfTick - wall - roundTrip / 2);
    const uncertainty = roundTrip / 2 + halfTick;
    if (!Number.isFinite(offset)) return;
    const isDue = this.#isDue();
    if (this.#sample !== undefined && !isDue && uncertainty > this.#sample.uncertainty) return;
    this.#sample = { offset, uncertainty, wall, elapsed };
    // If the clocks may be equal, they count as equal, so that a slow answer does not shift any
    // entry.
    this.offset = Math.abs(offset) <= uncertainty ? 0 : offset;
  }
}
