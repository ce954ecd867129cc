import { Ghosts } from "./ghosts.js";
import { RecencyWatch } from "./recency-watch.js";
import type { Requests } from "./slot-policy.js";
import { WindowShare } from "./window-share.js";

/**
 * Which keys are watched, by the size of the cache: all in a small one, in a larger one enough for a statistic. A
 * watched key costs an insertion some 300 ns. The bits of a hash that must be 0 are not those by which tables are indexed.
 */
const SAMPLES = [
  { above: 0, stride: 1, unwatched: 0 },
  { above: 1024, stride: 8, unwatched: 7 << 28 },
  { above: 8192, stride: 32, unwatched: 31 << 26 },
] as const;

/** Follows the keys that leave the window and come back, and adapts the window's share to them. */
export class WindowTuner {
  readonly window: WindowShare = new WindowShare();
  /** The keys at the window's edge, by a clock that counts the keys that left. */
  readonly ghosts: Ghosts = new Ghosts();
  /** The same keys, by a clock that counts requests. */
  readonly recency: RecencyWatch = new RecencyWatch();
  /** A key is watched if its hash has none of these bits: the methods are for watched keys only, others cost nothing. */
  unwatched = 0;
  /** For how many keys a watched one stands. */
  private stride = 1;
  /** Keys that left the window, watched or not. */
  windowExits = 0;
  /** What follows from the number of entries, kept as long as that does not change: in a full cache. */
  private entries = 0;
  private edge = 1;
  private watchedAtEdge = 1;
  private watched = 1;

  /** A watched key left the window at `now`, counted in requests, of a cache that holds so many `entries`. */
  addGhost(hash: number, now: number, entries: number): void {
    if (entries !== this.entries) this.measure(entries);
    this.ghosts.add(hash, this.windowExits, this.edge, this.watchedAtEdge);
    this.recency.addGhost(hash, now, entries, this.watched);
  }

  /** A watched key comes in at `now`. */
  learnFrom(hash: number, now: number, entries: number, { hits }: Requests): void {
    if (entries !== this.entries) this.measure(entries);
    const { window, stride } = this;
    const leftTooEarly = this.ghosts.age(hash, this.windowExits) < this.edge;
    if (leftTooEarly) window.widen(stride, entries);
    const wider = this.recency.advise(hash, now, entries, { stride, hits, share: window.share });
    if (wider > 0) window.widen(wider, entries);
  }

  clear(): void {
    this.ghosts.clear();
    this.recency.clear();
    this.entries = 0;
  }

  private measure(entries: number): void {
    this.sample(entries);
    this.entries = entries;
    this.edge = this.window.edge(entries);
    this.watchedAtEdge = Math.ceil(this.edge / this.stride);
    this.watched = Math.ceil(entries / this.stride);
  }

  /** Watches fewer keys in a cache that has grown; more again only when it has shrunk to less than half. */
  private sample(entries: number): void {
    const before = this.stride;
    for (const { above, stride, unwatched } of SAMPLES) {
      if (stride > before ? entries <= above : entries < above / 2) return;
      this.stride = stride;
      this.unwatched = unwatched;
    }
  }
}
