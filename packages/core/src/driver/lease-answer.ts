import type { LeaseAnswer } from "../storage/leases.js";
import type { Acquisition } from "./driver.js";

/**
 * Returns the answer for a lease that was not granted: `fresh` with the bytes that are in its way,
 * or `held`. Bytes that the caller has seen do not count as fresh. For authors of storages.
 *
 * @param bytes the fresh bytes of the key, if there are any
 */
export function refusedLease(
  { seen }: Pick<Acquisition, "seen">,
  bytes: Uint8Array | undefined,
): Exclude<LeaseAnswer, { outcome: "granted" }> {
  const isUsable = bytes !== undefined && (seen === undefined || Buffer.compare(bytes, seen) !== 0);
  return isUsable ? { outcome: "fresh", bytes } : { outcome: "held" };
}
