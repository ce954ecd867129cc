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

/** Halves all frequencies from time to time, those of the sketch and those of the entries held, some with each insertion. */
export class Ageing {
  /** Requests, at least one an insertion. */
  now = 0;
  private readonly sketch: FrequencySketch;
  private readonly regions: Regions;
  private readonly requests: Requests;
  private seen = 0;
  private counted = 0;

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
    this.counted += requests;
    this.now += requests;
    if (this.sketch.isBusy || this.regions.isAgeing) this.advance(requests);
    else if (this.counted >= REQUESTS_PER_AGE * AGES_LIKE) this.age();
  }

  private age(): void {
    const due = REQUESTS_PER_AGE * Math.max(this.regions.held, AGES_LIKE);
    if (this.counted < due) return;
    this.counted = due >>> 1;
    this.sketch.age();
    this.regions.age();
  }

  private advance(requests: number): void {
    const share = requests < MOST_AGED / FEWEST_AGED ? FEWEST_AGED * requests : MOST_AGED;
    this.sketch.advance(share);
    this.regions.ageSome(share);
  }
}
