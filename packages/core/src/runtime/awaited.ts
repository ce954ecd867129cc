import type { Flight } from "./flight.js";

/** Returns whether a reader wants the answer. A flight in the background stays for itself. */
export function isAwaited({ followers, prefetches, readers, revalidates, staying }: Flight): boolean {
  let others = (revalidates === undefined ? 0 : 1) + (prefetches === undefined ? 0 : 1);
  if (followers !== undefined) {
    for (const follower of followers) {
      if (isAwaited(follower)) return true;
      if (!follower.isAbandoned) others += 1;
    }
  }
  return readers > 0 && staying > others;
}

/** Returns whether a flight loads its node before it is read, and no reader has joined it yet. */
export function isAhead({ prefetches, readers }: Flight): boolean {
  return prefetches !== undefined && readers === 0;
}
