import type { Clock } from "../clock.js";
import type { Entry } from "../entry/entry.js";
import type { RemoteTier } from "../plan/node-kind.js";
import type { Plan } from "../plan/plan.js";
import type { Decoder } from "./decoder.js";

/** What the nearest remote tier that has the node has of it. */
export async function peekRemotely(
  plan: Plan,
  key: string,
  clock: Clock,
  decoder: Decoder,
): Promise<Entry | undefined> {
  for (const tier of plan.remoteTiers) {
    if (plan.operations.distrusted(key)) return undefined;
    const storageKey = plan.storageKey(key);
    const bytes = await readOne(tier, storageKey);
    const cached = decoder.decode(plan, storageKey, bytes);
    const now = clock.now();
    if (cached !== undefined && cached.freshUntil > now) {
      const ttl = cached.freshUntil - now;
      return { ...cached, origin: tier.name, ttl, size: bytes?.byteLength, hits: undefined };
    }
  }
  return undefined;
}

function readOne(tier: RemoteTier, storageKey: string): Promise<Uint8Array | undefined> {
  return new Promise((arrived) => tier.storage.read({ storageKey, arrived }));
}
