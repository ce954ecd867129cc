import type { Regions } from "./regions.js";
import type { FrequencySketch } from "./sketch.js";
import type { Requests } from "./slot-policy.js";

/**
 * Requests per entry until all frequencies are halved (TinyLFU). Half of the requests then count
 * for the next time.
 */
const REQUESTS_PER_AGE = 10;

/** Smaller caches age as slowly as one of this size: a cache must see a loop twice to know it. */
const AGES_LIKE = 512;

/** Minimum and maximum number of slots aged per insertion, and of blocks of the sketch. */
const FEWEST_AGED = 32;
const MOST_AGED = 1024;

/** Requests between two checks for work. Entries may have been removed meanwhile. */
const LOOKED_EVERY = 64;

/**
 * Halves all frequencies from time to time, those of the sketch and those of the stored entries.
 * Does a part of the work with each insertion.
 */
export class Ageing {
  /** Number of requests. Each insertion counts as one at least. */
  now = 0;
  private readonly sketch: FrequencySketch;
  private readonly regions: Regions;
  private readonly requests: Requests;
  private seen = 0;
  /** Value of `now` from which requests count for the next ageing. */
  private since = 0;
  /**
   * Value of `now` before which there is nothing to do. Every insertion compares it, because
   * checking for work takes 5 ns.
   */
  private next = 0;

  constructor(sketch: FrequencySketch, regions: Regions, requests: Requests) {
    this.sketch = sketch;
    this.regions = regions;
    this.requests = requests;
  }

  /**
   * Counts the requests since the last insertion. Starts to halve the frequencies if it is time, or
   * continues.
   */
  count(): void {
    const { hits, misses } = this.requests;
    const total = hits + misses;
    const requests = total > this.seen ? total - this.seen : 1;
    this.seen = total;
    this.now += requests;
    if (this.now >= this.next) this.work(requests);
  }

  /** Makes the next insertion check for work, because the sketch may have to grow. */
  wake(): void {
    this.next = 0;
  }

  private work(requests: number): void {
    if (this.sketch.isBusy || this.regions.isAgeing) {
      this.advance(requests);
      return;
    }
    const requestsPerAge = REQUESTS_PER_AGE * Math.max(this.regions.held, AGES_LIKE);
    if (this.now - this.since < requestsPerAge) {
      this.next = Math.min(this.since + requestsPerAge, this.now + LOOKED_EVERY);
      return;
    }
    this.since = this.now - (requestsPerAge >>> 1);
    this.sketch.age();
    this.regions.age();
  }

  private advance(requests: number): void {
    const share = requests < MOST_AGED / FEWEST_AGED ? FEWEST_AGED * requests : MOST_AGED;
    this.sketch.advance(share);
    this.regions.ageSome(share);
  }
}
