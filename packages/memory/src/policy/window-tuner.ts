import { Ghosts } from "./ghosts.js";
import { RecencyWatch } from "./recency-watch.js";
import type { Requests } from "./slot-policy.js";
import { WindowShare } from "./window-share.js";

/**
 * Samples by cache size: all keys of a small cache, enough for a statistic in a larger one. A
 * watched key costs an insertion some 300 ns. The hash bits that must be 0 are not the bits that
 * index tables.
 */
const SAMPLES = [
  { above: 0, stride: 1, unwatched: 0 },
  { above: 1024, stride: 8, unwatched: 7 << 28 },
  { above: 8192, stride: 32, unwatched: 31 << 26 },
] as const;

/**
 * Watches the keys that leave the window and come back, and adapts the share of the window to them.
 */
export class WindowTuner {
  readonly window: WindowShare = new WindowShare();
  /** Ghosts at the edge of the window. Their clock counts the keys that left. */
  readonly ghosts: Ghosts = new Ghosts();
  /** The same keys. Their clock counts requests. */
  readonly recency: RecencyWatch = new RecencyWatch();
  /**
   * Hash bits that must all be 0 in a watched key. The methods are for watched keys only; other
   * keys cost nothing.
   */
  unwatched = 0;
  /** Number of keys that a watched key represents. */
  private stride = 1;
  /** Number of keys that left the window, watched or not. */
  windowExits = 0;
  /**
   * Values derived from the number of entries. They stay while that number stays, as in a full
   * cache.
   */
  private entries = 0;
  private edge = 1;
  private watchedAtEdge = 1;
  private watched = 1;

  /**
   * Adds a watched key that left the window at `now`, counted in requests. The cache has `entries`
   * entries.
   */
  addGhost(hash: number, now: number, entries: number): void {
    if (entries !== this.entries) this.measure(entries);
    this.ghosts.add(hash, this.windowExits, this.edge, this.watchedAtEdge);
    this.recency.addGhost(hash, now, entries, this.watched);
  }

  /** Adapts the window to a watched key that comes in at `now`. */
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

  /**
   * Watches fewer keys in a cache that has grown. Watches more only after it shrank to less than
   * half.
   */
  private sample(entries: number): void {
    const before = this.stride;
    for (const { above, stride, unwatched } of SAMPLES) {
      if (stride > before ? entries <= above : entries < above / 2) return;
      this.stride = stride;
      this.unwatched = unwatched;
    }
  }
}
