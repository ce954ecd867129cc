import type { Regions } from "./regions.js";
import type { FrequencySketch } from "./sketch.js";
import type { Requests } from "./slot-policy.js";

/** All frequencies are halved when this many requests per entry are counted, of which half go on counting (TinyLFU). */
const REQUESTS_PER_AGE = 10;

/** A smaller cache ages as slowly as one of this size: it must see a loop twice to know it. */
const AGES_LIKE = 512;

/** Slots aged in an insertion, at the least and at the most; as many blocks of the sketch. */
const FEWEST_AGED = 32;
const MOST_AGED = 1024;

/** Requests after which it is asked again whether there is something to do: entries may have been removed meanwhile. */
const LOOKED_EVERY = 64;

/** Halves all frequencies from time to time, those of the sketch and those of the entries held, some with each insertion. */
export class Ageing {
  /** Requests, at least one an insertion. */
  now = 0;
  private readonly sketch: FrequencySketch;
  private readonly regions: Regions;
  private readonly requests: Requests;
  private seen = 0;
  /** Since when requests count for the next ageing. */
  private since = 0;
  /** Before this there is nothing to do. Asked at every insertion, where asking all that has to do with it takes 5 ns. */
  private next = 0;

  constructor(sketch: FrequencySketch, regions: Regions, requests: Requests) {
    this.sketch = sketch;
    this.regions = regions;
    this.requests = requests;
  }

  /** Counts the requests since the last insertion. Begins to halve the frequencies when it is time, or goes on with it. */
  count(): void {
    const { hits, misses } = this.requests;
    const total = hits + misses;
    const requests = total > this.seen ? total - this.seen : 1;
    this.seen = total;
    this.now += requests;
    if (this.now >= this.next) this.work(requests);
  }

  /** There is more to do: the sketch is to grow. */
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
