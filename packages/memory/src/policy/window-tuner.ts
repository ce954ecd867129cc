import { Departures } from "./departures.js";
import { RecencyWatch } from "./recency-watch.js";
import type { Requests } from "./slot-policy.js";
import { WindowShare } from "./window-share.js";

/** In caches above `WATCHED_WHOLE` entries one key in eight is watched: enough for a statistic, at an eighth of the cost. */
const WATCHED_WHOLE = 1024;
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
  /** A key is watched if none of these bits is set in its hash: the methods are for watched keys only, the others cost nothing. */
  unwatched = 0;
  /** Keys that left the window, watched or not. */
  departed = 0;

  /** A watched key left the window at `now`, counted in requests, of a cache that holds so many `entries`. */
  recordDeparture(hash: number, now: number, entries: number): void {
    if (this.unwatched === 0 && entries > WATCHED_WHOLE) this.unwatched = SAMPLED;
    else if (this.unwatched !== 0 && entries < WATCHED_WHOLE / 2) this.unwatched = 0;
    const edge = this.window.edge(entries);
    const stride = this.#stride;
    this.departures.record(hash, this.departed, edge, Math.ceil(edge / stride));
    this.recency.departed(hash, now, entries, stride);
  }

  /** A watched key comes in at `now`. */
  learnFrom(hash: number, now: number, entries: number, { hits }: Requests): void {
    const { window } = this;
    const stride = this.#stride;
    const leftTooEarly = this.departures.age(hash, this.departed) < window.edge(entries);
    if (leftTooEarly) window.widen(stride, entries);
    const wider = this.recency.arrived(hash, now, entries, { stride, hits, share: window.share });
    if (wider > 0) window.widen(wider, entries);
  }

  clear(): void {
    this.departures.clear();
    this.recency.clear();
  }

  /** For how many keys a watched one stands: 1 or `STRIDE`. */
  get #stride(): number {
    return this.unwatched === 0 ? 1 : STRIDE;
  }
}
