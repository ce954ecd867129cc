import { Departures } from "./departures.js";
import { RecencyWatch } from "./recency-watch.js";
import type { Requests } from "./slot-policy.js";
import { WindowShare } from "./window-share.js";

/** Caches above this size watch one key in eight, which is enough for a statistic and costs an eighth. */
const WATCHED_WHOLE = 4096;
const STRIDE = 8;

/** The bits of a hash that are 0 in one of eight; not those by which tables are indexed. */
const SAMPLED = (STRIDE - 1) << 28;

/** Follows the keys that leave the window and come back, and adapts the window's share to them. */
export class WindowTuner {
  readonly window: WindowShare = new WindowShare();
  /** The keys at the window's edge, by a clock that counts the keys that left. */
  readonly departures: Departures = new Departures();
  /** The same keys, by a clock that counts requests. */
  readonly recency: RecencyWatch = new RecencyWatch();
  #departed = 0;

  /** The key left the window at `now`, counted in requests, of a cache that holds so many `entries`. */
  departed(hash: number, now: number, entries: number): void {
    this.#departed++;
    if (isWatched(hash, entries)) this.#record(hash, now, entries);
  }

  /** The key comes in at `now`. */
  arrived(hash: number, now: number, entries: number, requests: Requests): void {
    if (isWatched(hash, entries)) this.#learn(hash, now, entries, requests);
  }

  clear(): void {
    this.departures.clear();
    this.recency.clear();
  }

  #record(hash: number, now: number, entries: number): void {
    const stride = strideOf(entries);
    const edge = this.window.edge(entries);
    this.departures.record(hash, this.#departed, edge, Math.ceil(edge / stride));
    this.recency.departed(hash, now, entries, stride);
  }

  #learn(hash: number, now: number, entries: number, { hits }: Requests): void {
    const { window } = this;
    const stride = strideOf(entries);
    const leftTooEarly = this.departures.age(hash, this.#departed) < window.edge(entries);
    if (leftTooEarly) window.widen(stride, entries);
    const wider = this.recency.arrived(hash, now, entries, { stride, hits, share: window.share });
    if (wider > 0) window.widen(wider, entries);
  }
}

function isWatched(hash: number, entries: number): boolean {
  return entries <= WATCHED_WHOLE || (hash & SAMPLED) === 0;
}

/** For how many keys a watched one stands. */
function strideOf(entries: number): number {
  return entries <= WATCHED_WHOLE ? 1 : STRIDE;
}
