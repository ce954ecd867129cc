/**
 * The window never has less than this share of the cache, nor more than the rest: each must be there to be
 * measured. It begins with this share, as Caffeine's does: a loop that fits is only found by what stays.
 */
const SMALLEST = 0.01;

/**
 * How many entries at the edge of each region are watched, as a share of all entries. About the size of
 * probation (a fifth of the main region), so that both edges are as wide.
 */
const EDGE = 0.16;

/**
 * What an entry of the main region that was touched on probation counts, against a newcomer that the window let
 * go too early. Less than 1: it was touched at any time on probation, most of the time not at its very end.
 */
const TOUCHED = 0.7;

/** A difference in what a full cache holds that is worth following. */
const FOLLOWED = 1 / 8;

/**
 * How much of the cache is admission window, adapted all the time by what each region would gain at its edge.
 *
 * A window larger by some entries would have kept the keys that left it last: each that comes back soon is a
 * hit lost, and moves the share up by one entry. A main region smaller by some entries would have lost those
 * at its end: each that is found touched there is a hit that would have been lost, and moves the share down.
 * At rest both edges are worth the same, which is the best division where hits have diminishing returns. This
 * is the local gradient of Cliffhanger (Cidon et al., NSDI 2016), with ARC's step of one entry per event
 * (Megiddo and Modha, FAST 2003); unlike a climber on the total hit ratio it does not take a change of the
 * workload for the effect of its own last step, and it needs no sampling period.
 */
export class WindowShare {
  /** The share, from which `limit` follows. */
  share: number = SMALLEST;
  /** What the window may hold: entries or weight, whichever the cache counts. Kept because every insertion asks. */
  limit = 1;
  private most = 1;
  /** What the cache holds when it is full. */
  private total = 1;

  /** The cache may hold `most` in all. */
  resize(most: number): void {
    this.most = most;
    this.total = most;
    this.set(this.share);
  }

  /** A full cache holds so much: less than it may by weight, where the number of entries is its limit. */
  follow(held: number): void {
    const total = Math.min(held, this.most);
    if (Math.abs(total - this.total) <= this.total * FOLLOWED) return;
    this.total = total;
    this.set(this.share);
  }

  /** How many departures from the window are worth remembering. */
  edge(entries: number): number {
    return Math.max(1, Math.round(entries * EDGE));
  }

  /** Gives the window room for `by` more of the cache's `entries`. */
  widen(by: number, entries: number): void {
    this.set(Math.min(this.share + by / entries, 1 - SMALLEST));
  }

  /** An entry was found touched at the end of probation, which holds `probation` entries. */
  narrow(entries: number, probation: number): void {
    const width = this.edge(entries) / Math.max(probation, 1);
    this.set(Math.max(this.share - (TOUCHED * width) / entries, SMALLEST));
  }

  private set(share: number): void {
    this.share = share;
    this.limit = Math.max(1, Math.round(share * this.total));
  }
}
