import type { Flight } from "../runtime/flight.js";
import { lastBirth } from "../runtime/operation.js";
import type { LocalRecord } from "../storage/local-storage.js";
import { keptLocally } from "./local-tiers.js";
import type { ReadParts } from "./read-parts.js";

/**
 * Finds the stale value that readers of a loading flight may get instead of the load's. The tiers are
 * read once more, because the key may have been removed while it was loaded.
 *
 * @param done called with the value, or with `undefined`; at once if no remote tier is read
 */
export function findStaleValue(
  { clock, remoteTiers }: ReadParts,
  flight: Flight,
  done: (found: LocalRecord | undefined) => void,
): void {
  const { runtime, key, tags } = flight;
  const local = keptLocally(runtime, key, clock.now());
  if (local !== undefined || runtime.remoteTiers.length === 0) {
    done(local);
    return;
  }
  const since = lastBirth();
  void remoteTiers.readKept(runtime, key, tags).then((found) => {
    // Readers that asked after an invalidation of a tag read again.
    const generations = found?.generations;
    if (generations !== undefined && runtime.tags.isEntryOvertaken(generations, since)) flight.close();
    done(found);
  });
}
