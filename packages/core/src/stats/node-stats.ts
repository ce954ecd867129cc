import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

/**
 * The statistics of the reads of a node class, or of all classes, since the start. Every rate is 0
 * until its events occur.
 */
export interface Stats {
  /**
   * Reads that finished: hits and misses. If its reader left meanwhile, a read counts by its
   * outcome.
   */
  readonly requestCount: number;
  /** Reads that were answered from a tier. */
  readonly hitCount: number;
  readonly hitRate: number;
  /** Reads that a tier answered with a cached error, by the option `errorTtl`; they are hits, too. */
  readonly errorHitCount: number;
  /** Reads that led to a load, started by them or joined. */
  readonly missCount: number;
  readonly missRate: number;
  /** Reads that joined a read that was under way, and so cost neither a round trip nor a load. */
  readonly coalescedCount: number;
  /** Reads that were answered with a stale value; each counts as a hit or a miss, too. */
  readonly staleCount: number;
  /** Nodes that were loaded before they were read. They count as no reads by that. */
  readonly prefetchCount: number;
  /** Those of them that were read before they expired. */
  readonly prefetchHitCount: number;
  /** The share of those. */
  readonly prefetchPrecision: number;
  /** Hits by the storage's name. */
  readonly hits: Readonly<Record<string, number>>;
  /** Values that were loaded; a `loadAll` counts each of its nodes. */
  readonly loadCount: number;
  readonly loadSuccessCount: number;
  readonly loadFailureCount: number;
  readonly loadFailureRate: number;
  /** Failed loads that were repeated, by the option `retry`; they count as failures only at the end. */
  readonly retryCount: number;
  /** Milliseconds spent in `load` and `loadAll` altogether. */
  readonly totalLoadTime: number;
  /** Milliseconds for each loaded value. */
  readonly averageLoadTime: number;
  /** The durations of the calls of `load` and `loadAll`. */
  readonly loadTimes: LoadTimes;
}

/** A histogram of the calls of `load` and `loadAll`, in milliseconds; all zero before the first. */
export interface LoadTimes {
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

const nanosecondsInMillisecond = 1e6;

/** The number of load times that are listed before they become a histogram. */
const mostFirstTimes = 32;

/** The counters behind {@link Stats}, of one node class. Derived figures have no counters. */
export class StatsCounter {
  /** The names of the class's storages, in the order of its tiers. */
  readonly #storages: readonly string[];
  /**
   * Hits by the tier's place. Public and plain, because a local hit adds 1 here and does nothing
   * else.
   */
  readonly hits: number[];
  misses = 0;
  coalesced = 0;
  retries = 0;
  stale = 0;
  prefetched = 0;
  prefetchHits = 0;
  /** Hits whose entry is an error. */
  errorHits = 0;
  #loadSuccesses = 0;
  #loadFailures = 0;
  #totalLoadTime = 0;
  /** The first load times, in nanoseconds. */
  #firstLoadTimes: number[] = [];
  /** Made when the first times are full, because it takes some kilobytes and microseconds. */
  #loadTimes: RecordableHistogram | undefined;

  constructor(storages: readonly string[]) {
    this.#storages = storages;
    this.hits = storages.map(() => 0);
  }

  /** Counts one call of `load` or `loadAll`. */
  recordLoad(milliseconds: number, successes: number, failures: number): void {
    this.#loadSuccesses += successes;
    this.#loadFailures += failures;
    this.#totalLoadTime += milliseconds;
    const time = Math.max(1, Math.round(milliseconds * nanosecondsInMillisecond));
    if (this.#loadTimes !== undefined) this.#loadTimes.record(time);
    else if (this.#firstLoadTimes.push(time) === mostFirstTimes) {
      const times = createHistogram();
      this.#addLoadTimesTo(times);
      this.#loadTimes = times;
      this.#firstLoadTimes = [];
    }
  }

  #addLoadTimesTo(histogram: RecordableHistogram): void {
    for (const time of this.#firstLoadTimes) histogram.record(time);
    if (this.#loadTimes !== undefined) histogram.add(this.#loadTimes);
  }

  /** Counts loads that fail while they wait for a further call. */
  recordFailures(failures: number): void {
    this.#loadFailures += failures;
  }

  /** Adds up the counters of several classes. */
  static summary(counters: Iterable<StatsCounter>): Stats {
    const hits = new Map<string, number>();
    const times = createHistogram();
    let [hitCount, missCount, coalescedCount, staleCount, errorHitCount] = [0, 0, 0, 0, 0];
    let [prefetchCount, prefetchHitCount] = [0, 0];
    let [loadSuccessCount, loadFailureCount, totalLoadTime, retryCount] = [0, 0, 0, 0];
    for (const counter of counters) {
      for (const [tier, count] of counter.hits.entries()) {
        const storage = counter.#storages[tier] ?? "";
        hits.set(storage, (hits.get(storage) ?? 0) + count);
        hitCount += count;
      }
      missCount += counter.misses;
      coalescedCount += counter.coalesced;
      retryCount += counter.retries;
      staleCount += counter.stale;
      prefetchCount += counter.prefetched;
      prefetchHitCount += counter.prefetchHits;
      errorHitCount += counter.errorHits;
      loadSuccessCount += counter.#loadSuccesses;
      loadFailureCount += counter.#loadFailures;
      totalLoadTime += counter.#totalLoadTime;
      counter.#addLoadTimesTo(times);
    }
    const requestCount = hitCount + missCount;
    const loadCount = loadSuccessCount + loadFailureCount;
    return {
      requestCount,
      hitCount,
      hitRate: ratio(hitCount, requestCount),
      errorHitCount,
      missCount,
      missRate: ratio(missCount, requestCount),
      coalescedCount,
      staleCount,
      prefetchCount,
      prefetchHitCount,
      prefetchPrecision: ratio(prefetchHitCount, prefetchCount),
      hits: Object.fromEntries(hits),
      loadCount,
      loadSuccessCount,
      loadFailureCount,
      loadFailureRate: ratio(loadFailureCount, loadCount),
      retryCount,
      totalLoadTime,
      averageLoadTime: ratio(totalLoadTime, loadCount),
      loadTimes: loadTimes(times),
    };
  }
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function loadTimes(histogram: RecordableHistogram): LoadTimes {
  if (histogram.count === 0) return { min: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 };
  const at = (percentile: number) => histogram.percentile(percentile) / nanosecondsInMillisecond;
  return {
    min: histogram.min / nanosecondsInMillisecond,
    mean: histogram.mean / nanosecondsInMillisecond,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    max: histogram.max / nanosecondsInMillisecond,
  };
}
