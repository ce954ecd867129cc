import { checkMethods, shown } from "../checks.js";
import { CustomPolicy } from "./custom.js";
import type { EvictionPolicy } from "./eviction-policy.js";
import { FifoPolicy } from "./fifo.js";
import { LfuPolicy } from "./lfu.js";
import { LruPolicy } from "./lru.js";
import type { PolicyContext, SlotPolicy } from "./slot-policy.js";
import { TinyLfuPolicy } from "./tlfu.js";

/**
 * Names of the built-in policies. Each one evicts first:
 *
 * - `tlfu`: the entry that is read least, in the long run and lately
 * - `lru`: the entry that was used longest ago
 * - `lfu`: the entry that was used least often
 * - `fifo`: the entry that was inserted longest ago
 */
export type PolicyName = "tlfu" | "lru" | "lfu" | "fifo";

const METHODS = ["onInsert", "onAccess", "onRemove", "victim"] as const;

/** Creates the policy that an option names. */
export function choosePolicy<K, V>(
  policy: PolicyName | EvictionPolicy<K>,
  context: PolicyContext<K, V>,
): SlotPolicy {
  switch (policy) {
    case "tlfu":
      return new TinyLfuPolicy(context);
    case "lru":
      return new LruPolicy();
    case "lfu":
      return new LfuPolicy();
    case "fifo":
      return new FifoPolicy();
    default:
      if (typeof policy === "object" && policy !== null)
        return new CustomPolicy(checkMethods("policy", policy, METHODS), context.slots);
      throw new TypeError(
        `policy must be "tlfu", "lru", "lfu", "fifo" or an EvictionPolicy, not ${shown(policy)}`,
      );
  }
}
