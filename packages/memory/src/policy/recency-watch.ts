import { Ghosts } from "./ghosts.js";

/** Shares of the cache that the window could have. */
const SHARES = [1 / 4, 1 / 2, 1] as const;

/**
 * Lead, in hits per entry, from which recency is believed. With a tenth, a burst would pass in a
 * tiny cache.
 */
const CONVINCING = 0.5;

/** Maximum lead, in hits per entry, so that it is lost as soon as hits come again. */
const LARGEST_LEAD = 2;

/**
 * Notices when a much larger window would serve better than the current cache.
 *
 * The edges of the regions show the way only as far as they are wide. Suppose keys come back half a
 * cache's worth of requests after they left a small window. A slightly larger window gains nothing
 * then, though a window of half the cache would gain everything. So a quarter, a half and all of
 * the cache are judged as windows, too.
 *
 * If a key comes back early enough, it would have been a hit in such a window. It may come within
 * as many requests of leaving as the window has entries. The window would take the least valuable
 * entries of the main region. So it costs that share of all hits at most. Once the gain exceeds the
 * price by half a hit per entry, each such key widens the window. It widens by an entry per key, up
 * to that share. A loop longer than the cache never counts: its keys come back too late.
 */
export class RecencyWatch {
  readonly ghosts: Ghosts = new Ghosts();
  /** Lead of each share: the keys that came back in time, less the hits that it could cost. */
  readonly leads: Float64Array = new Float64Array(SHARES.length);
  private hitsSeen = 0;

  /**
   * Adds a key that left the window at `now`, counted in requests. The cache has `entries` entries,
   * of which `watched` are watched.
   */
  addGhost(hash: number, now: number, entries: number, watched: number): void {
    this.ghosts.add(hash, now, entries, watched);
  }

  /**
   * Counts a key that comes in at `now`, when there were `hits` hits in all. The key represents
   * `stride` keys. Returns by how many entries a window of this `share` should grow.
   */
  advise(
    hash: number,
    now: number,
    entries: number,
    { stride, hits, share }: { readonly stride: number; readonly hits: number; readonly share: number },
  ): number {
    const age = this.ghosts.age(hash, now);
    // The key is too late for every share, as most keys are. The leads may count the cost of hits
    // later.
    if (age >= entries) return 0;
    const newHits = hits - this.hitsSeen;
    this.hitsSeen = hits;
    let wider = 0;
    for (let at = 0; at < SHARES.length; at++) {
      const candidate = SHARES[at] as number;
      const gain = age < candidate * entries ? stride : 0;
      const lead = Math.max(0, (this.leads[at] as number) - candidate * newHits) + gain;
      this.leads[at] = Math.min(lead, LARGEST_LEAD * entries);
      if (gain > 0 && share < candidate && lead > CONVINCING * entries) wider = stride;
    }
    return wider;
  }

  clear(): void {
    this.ghosts.clear();
    this.leads.fill(0);
  }
}
