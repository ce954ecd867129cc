import type { Clock } from "../clock.js";
import type { RemoteStorage } from "../storage/remote-storage.js";

/** Milliseconds after which a sample is too old. */
const sampleAge = 10 * 60_000;

/** A wall clock that went on by so many milliseconds more, or less, than time did was set. */
const jump = 1_000;

/** One look at both clocks. */
interface Sample {
  /** The storage's time minus ours. */
  readonly offset: number;
  /** How far off that may be. */
  readonly uncertainty: number;
  /** When it was taken, by our wall clock and by the clock that nobody sets. */
  readonly wall: number;
  readonly elapsed: number;
}

/**
 * How far a storage's clock is from ours, as NTP estimates it (RFC 5905, section 8): half of a round trip off at most. Entries carry
 * the storage's time, so that processes whose clocks differ agree on what is fresh.
 */
export class StorageClock {
  readonly #storage: RemoteStorage;
  readonly #clock: Clock;
  #sample: Sample | undefined;
  #sampling: Promise<void> | undefined;
  #wasAsked = false;
  /** Milliseconds to add to our time for the storage's; 0 while nothing better is known. */
  offset = 0;

  constructor(storage: RemoteStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** Settles after the first sample; `undefined` if there was one, as nearly always. */
  known(): Promise<void> | undefined {
    return this.#wasAsked ? undefined : this.sample();
  }

  /** Asks the storage for its time, unless that was done lately. Call it whenever the storage is used. */
  check(): void {
    if (this.#sampling === undefined && this.#isDue()) void this.sample();
  }

  /** Settles when the storage has told its time. A storage in trouble changes nothing. */
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

  async #take(): Promise<void> {
    const [wall, elapsed] = [this.#clock.now(), this.#clock.elapsed()];
    let offset = 0;
    let uncertainty = 0;
    try {
      const time = await this.#storage.time();
      const roundTrip = this.#clock.elapsed() - elapsed;
      // On average the clock has gone on by half a tick since it told its time.
      const halfTick = (this.#storage.timePrecision ?? 1) / 2;
      offset = Math.floor(time + halfTick - wall - roundTrip / 2);
      uncertainty = roundTrip / 2 + halfTick;
    } catch {
      return; // The storage's own calls report its trouble. Its next use takes another sample.
    } finally {
      this.#wasAsked = true;
    }
    if (!Number.isFinite(offset)) return;
    const isDue = this.#isDue();
    if (this.#sample !== undefined && !isDue && uncertainty > this.#sample.uncertainty) return;
    this.#sample = { offset, uncertainty, wall, elapsed };
    // Clocks that may be equal are: then no entry is off by what a slow answer seems to say.
    this.offset = Math.abs(offset) <= uncertainty ? 0 : offset;
  }
}
