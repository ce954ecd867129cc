import type { RemoteTier } from "../runtime/node-kind.js";
import type { OperationTags } from "../tags/operation-tags.js";

/**
 * Returns the tiers that may store the value, because the generations of its tags are known there.
 * A tier on the left of another one would be refilled from that with an older value.
 */
export function storableIn(
  tiers: readonly RemoteTier[],
  tagged: OperationTags | undefined,
): readonly RemoteTier[] {
  if (tagged === undefined) return tiers;
  const last = tiers.findLastIndex(({ storage }) => tagged.in(storage) === undefined);
  return tiers.slice(last + 1);
}
