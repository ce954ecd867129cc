import type { StoredRecord } from "cacheme/driver";
import type { Failures } from "./failures.js";
import { expiry, ttlSeconds } from "./lifetime.js";
import type { Batch } from "./protocol.js";
import { itemData, leaseFieldLength } from "./record.js";
import type { ServerFacts } from "./server-facts.js";

/** What the server keeps of an item beside its name and its data: 48 bytes, 8 for its CAS, 4 for its flags. */
const itemOverhead = 60;

/**
 * Adds a record's `ms` to a batch, or says why it cannot be stored.
 *
 * @param condition further flags, such as the CAS that the item must have
 * @param now answers the server's time in seconds
 * @returns whether it was added
 */
export function storeRecord(
  batch: Batch,
  { longestItem }: ServerFacts,
  name: string,
  { key, bytes, ttl, freshFor }: StoredRecord,
  now: () => number,
  failures: Failures,
  condition = "",
): boolean {
  const seconds = ttl === undefined ? undefined : ttlSeconds(ttl);
  const end = expiry(seconds, now);
  const { flags, pieces, length } = itemData(name, key, bytes, {
    staleAt: staleAt(freshFor, seconds, end, now),
  });
  // The end of the name, the end of the data, and room for a lease beside the bytes.
  const size = itemOverhead + name.length + 1 + length + 2 + leaseFieldLength;
  if (size > longestItem) {
    failures.add(key, new Error(tooLarge(bytes.length, longestItem - (size - bytes.length), longestItem)));
    return false;
  }
  batch.store(name, `T${end} F${flags}${condition}`, pieces);
  return true;
}

/** Seconds before the item's end at which it is stale; 0 where it is fresh to its end. */
function staleAt(
  freshFor: number | undefined,
  seconds: number | undefined,
  end: number,
  now: () => number,
): number {
  if (freshFor === undefined) return 0;
  // An end on the server's clock is as far away as that clock says.
  const left = seconds === end ? seconds : end - now();
  return Math.max(0, left - Math.max(0, Math.ceil(freshFor / 1000)));
}

function tooLarge(size: number, limit: number, longestItem: number): string {
  const [has, takes, all] = [size, limit, longestItem].map((bytes) => bytes.toLocaleString("en"));
  return (
    `its value has ${has} bytes, and the server takes ${takes} with this key: its items have ${all} at most. ` +
    "Start memcached with a larger -I, or store less under one key"
  );
}
