import { Ghosts } from "./ghosts.js";

/** The shares of the cache that the window could have. */
const SHARES = [1 / 4, 1 / 2, 1] as const;

/** The lead, in hits per entry, from which recency is believed. A tenth lets a burst through in a tiny cache. */
const CONVINCING = 0.5;

/** The lead is not counted further, so that it is lost as soon as hits come again. */
const LARGEST_LEAD = 2;

/**
 * Notices that a much larger window would serve better than what the cache does.
 *
 * The edges of the regions show the way only as far as they are wide: where keys come back, say, half a cache's
 * worth of requests after they left a small window, a slightly larger window gains nothing, though one of half
 * the cache would gain everything. So a quarter, a half and all of the cache are judged as a window, too. A key
 * that comes back within as many requests of leaving as that window has entries would have been a hit in it.
 * What the window takes from the main region are its least valuable entries, so it costs that share of all hits
 * at the most. Once the gain exceeds the price by half a hit per entry, each such key widens the window by an
 * entry, up to that share. A loop longer than the cache never counts: its keys come back too late.
 */
export class RecencyWatch {
  readonly ghosts: Ghosts = new Ghosts();
  /** By how much the keys that came back in time for each share outnumber the hits that it could cost. */
  readonly leads: Float64Array = new Float64Array(SHARES.length);
  private hitsSeen = 0;

  /** A key left the window at `now`, counted in requests, of a cache of so many `entries`; so many are `watched`. */
  addGhost(hash: number, now: number, entries: number, watched: number): void {
    this.ghosts.add(hash, now, entries, watched);
  }

  /**
   * A key, standing for `stride` ones, comes in at `now`, when there were so many `hits` in all. Returns by how
   * many entries a window of this `share` should be wider.
   */
  advise(
    hash: number,
    now: number,
    entries: number,
    { stride, hits, share }: { readonly stride: number; readonly hits: number; readonly share: number },
  ): number {
    const age = this.ghosts.age(hash, now);
    // Too late for every share, as most keys come. What hits cost the leads is the same if it is counted later.
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
