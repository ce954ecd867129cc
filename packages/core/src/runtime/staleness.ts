import type { Cached } from "../entry/entry.js";
import { isFresh, mayReplaceError, mayRevalidate, type StaleWindows } from "../entry/lifetime.js";
import type { ResolvedStale } from "../node/policy/stale-policy.js";
import { BackOffs } from "./back-offs.js";

/** The policy of a class that only loads values before they expire. */
const neverStale: ResolvedStale = { whileRevalidate: 0, ifError: 0, longestBackOff: 30_000 };

/** The use of a class's stale values: its windows, and the keys whose loads have just failed. */
export class Staleness {
  readonly windows: StaleWindows;
  readonly backOffs: BackOffs;
  /** The keys whose loads take longer than the soft limit. Their stale values are returned at once. */
  readonly slow: Set<string> = new Set();

  constructor(policy: ResolvedStale = neverStale) {
    this.windows = policy;
    this.backOffs = new BackOffs(policy.longestBackOff);
  }

  /** Whether a stale value may ever be returned. */
  get isUsed(): boolean {
    return this.windows.ifError > 0;
  }

  /**
   * Returns whether a plain read may be answered with the entry at once. It may if the entry is
   * fresh, or while it is revalidated, or while a load takes long or a failed one backs off.
   */
  mayAnswer(entry: Cached, key: string, now: number): boolean {
    if (isFresh(entry, now) || mayRevalidate(entry, this.windows, now)) return true;
    const isSpared = this.slow.has(key) || this.backOffs.isBackingOff(key, now);
    return isSpared && mayReplaceError(entry, this.windows, now);
  }
}
