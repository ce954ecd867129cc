/**
 * Minimum share of the window, and of the rest of the cache: each must exist to be measured. The
 * window begins with this share, as in Caffeine, because only entries that stay can reveal a loop
 * that fits.
 */
const SMALLEST = 0.01;

/**
 * Number of entries watched at the edge of each region, as a share of all entries. About the size
 * of probation (a fifth of the main region), so that both edges are equally wide.
 */
const EDGE = 0.16;

/**
 * Value of an entry of the main region that was touched on probation. The unit is a newcomer that
 * left the window too early. Less than 1, because the touch may have come at any time on probation,
 * mostly not at its very end.
 */
const TOUCHED = 0.7;

/** Relative change of the total of a full cache that is large enough to follow. */
const FOLLOWED = 1 / 8;

/**
 * Share of the admission window, adapted all the time by what each region would gain at its edge.
 *
 * A window larger by some entries would have kept the keys that left it last. Each that comes back
 * soon is a lost hit, and raises the share by one entry. A main region smaller by some entries
 * would have lost those at its end. Each that is found touched there is a hit that would have been
 * lost, and lowers the share. At rest both edges are worth the same. This is the best division if
 * hits have diminishing returns.
 *
 * This is the local gradient of Cliffhanger (Cidon et al., NSDI 2016). The step of one entry per
 * event is ARC's (Megiddo and Modha, FAST 2003). A climber on the total hit ratio mistakes a change
 * of the workload for the effect of its last step. This one does not, and needs no sampling period.
 */
export class WindowShare {
  /** Share of the window, from which `limit` follows. */
  share: number = SMALLEST;
  /**
   * Limit of the window, in entries or in weight, as the cache counts. Stored because every
   * insertion reads it.
   */
  limit = 1;
  private most = 1;
  /** Total of a full cache. */
  private total = 1;

  /** Sets the limit of the whole cache. */
  resize(most: number): void {
    this.most = most;
    this.total = most;
    this.set(this.share);
  }

  /**
   * Follows the total of a full cache. By weight that is less than the limit, if the number of
   * entries is the limit.
   */
  follow(held: number): void {
    const total = Math.min(held, this.most);
    if (Math.abs(total - this.total) <= this.total * FOLLOWED) return;
    this.total = total;
    this.set(this.share);
  }

  /** Returns how many ghosts are worth remembering. */
  edge(entries: number): number {
    return Math.max(1, Math.round(entries * EDGE));
  }

  /** Widens the window by `by` of the cache's `entries`. */
  widen(by: number, entries: number): void {
    this.set(Math.min(this.share + by / entries, 1 - SMALLEST));
  }

  /**
   * Narrows the window, because an entry was found touched at the end of probation, which has
   * `probation` entries.
   */
  narrow(entries: number, probation: number): void {
    const width = this.edge(entries) / Math.max(probation, 1);
    this.set(Math.max(this.share - (TOUCHED * width) / entries, SMALLEST));
  }

  private set(share: number): void {
    this.share = share;
    this.limit = Math.max(1, Math.round(share * this.total));
  }
}
