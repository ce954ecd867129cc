/** The place of an entry in its policy, so that another cache can give it the same one. */
export interface Standing {
  /** Number of counted uses. 0 if the policy does not count. */
  readonly frequency: number;
  /**
   * Part of the cache. `tlfu`: 0 on probation, 1 in the window, 2 protected. Other policies: always
   * 0.
   */
  readonly segment: number;
}

/** Standing of an entry whose policy only knows an order. */
export const UNCOUNTED: Standing = { frequency: 0, segment: 0 };

/** Standings of the entries, by slot. */
export interface Standings {
  /**
   * Returns the slots of all entries, the most valuable first. The only method of a policy that
   * passes over all slots.
   */
  ranked(): number[];

  standingOf(slot: number): Standing;

  /** Gives the entry inserted last the standing that it had in another cache. */
  reinstate(slot: number, standing: Standing): void;
}
