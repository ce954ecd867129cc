import { checkMethods, shown } from "../checks.js";
import { CustomPolicy } from "./custom.js";
import type { EvictionPolicy } from "./eviction-policy.js";
import { FifoPolicy } from "./fifo.js";
import { LfuPolicy } from "./lfu.js";
import { LruPolicy } from "./lru.js";
import type { PolicyContext, SlotPolicy } from "./slot-policy.js";
import { TinyLfuPolicy } from "./tlfu.js";

/**
 * The policies that come with the package. First to go is: with `tlfu`, what is asked for least, in the long run and of late; with
 * `lru`, what was used longest ago; with `lfu`, what was used least often; with `fifo`, what was inserted longest ago.
 */
export type PolicyName = "tlfu" | "lru" | "lfu" | "fifo";

const METHODS = ["onInsert", "onAccess", "onRemove", "victim"] as const;

/** Makes the policy that an option asks for. */
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
