import type { Activities } from "./activities.js";
import type { Destination } from "./destination.js";

/** The tier that a removal did not reach. */
export interface OwedRemoval {
  readonly activities: Activities;
  readonly destination: Destination;
  /** The tiers on the right: one of them may refill this one. */
  readonly right: readonly Destination[];
}
