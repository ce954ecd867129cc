import type { Flight } from "./flight.js";

/** Returns whether a reader wants the answer. A flight in the background stays for itself. */
export function isAwaited({ followers, readers, revalidates, staying }: Flight): boolean {
  let others = revalidates === undefined ? 0 : 1;
  if (followers !== undefined) {
    for (const follower of followers) {
      if (isAwaited(follower)) return true;
      if (!follower.isAbandoned) others += 1;
    }
  }
  return readers > 0 && staying > others;
}
