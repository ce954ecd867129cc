import type { Clock } from "../clock.js";
import type { Events } from "../events.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { NodeKind, RemoteTier } from "../runtime/node-kind.js";
import { nextBirth, Operation } from "../runtime/operation.js";
import { refuseIncompleteInvalidation } from "./incomplete.js";
import type { FailedTier } from "./store.js";

/** A key that is to be removed from every tier. */
export interface Removal {
  readonly runtime: ClassRuntime;
  readonly key: string;
}

/**
 * Removes the keys from every tier. When it resolves, no read that begins later is answered with a value whose load began
 * before the call.
 *
 * Everything that runs for a key at the call is fenced, so that nothing old is stored any more. Until the removal is done, no
 * remote tier is read for the key, so that nothing that is being removed finds its way back. What begins after the call and
 * loads, or sets, is newer than the removal, and is stored.
 *
 * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a remote tier could not be reached. It is not read for the key
 *   until a write or a removal has reached it.
 */
export async function invalidate(removals: readonly Removal[], clock: Clock, events: Events): Promise<void> {
  const outcomes = await Promise.all(
    withoutRepeats(removals).map(async ({ runtime, key }) => {
      const failed = await remove(runtime, key, clock);
      return { name: runtime.name, key, failed };
    }),
  );
  if (events.listeners.invalidate !== null) {
    for (const { name, key, failed } of outcomes) {
      if (failed.length === 0) events.emit("invalidate", { node: name, key });
    }
  }
  refuseIncompleteInvalidation(outcomes);
}

/** A list may name a key many times; each time would look at what runs for all the others. */
function withoutRepeats(removals: readonly Removal[]): readonly Removal[] {
  if (removals.length < 2) return removals;
  const seen = new Map<NodeKind, Set<string>>();
  return removals.filter(({ runtime: { kind }, key }) => {
    const keys = seen.get(kind);
    if (keys === undefined) seen.set(kind, new Set([key]));
    else if (keys.has(key)) return false;
    else keys.add(key);
    return true;
  });
}

async function remove({ kind }: ClassRuntime, key: string, clock: Clock): Promise<FailedTier[]> {
  const birth = nextBirth();
  const tiers = kind.remoteTiers;
  const known = kind.activities.find(key);
  known?.operations.fenceOlderThan(birth);
  kind.removeLocally(key);
  if (tiers.length === 0) return [];
  const activity = known ?? kind.activities.of(key);
  const operation = new Operation(birth);
  activity.operations.begin(operation);
  for (const tier of tiers) activity.unsettle(tier);
  const failed: FailedTier[] = [];
  // From right to left, each after the one before: a tier that still has the value would refill the ones on its left.
  for (const tier of tiers.toReversed()) {
    const error = await removeFrom(activity, tier);
    if (error === undefined) kind.trust(tier, key);
    else {
      failed.unshift({ storage: tier.name, error });
      kind.distrust(tier, key, clock.now());
    }
  }
  for (const tier of tiers) activity.settle(tier);
  activity.operations.end(operation);
  activity.rest();
  return failed;
}

function removeFrom(activity: KeyActivity, tier: RemoteTier): Promise<Error | undefined> {
  return new Promise((done) => activity.mutate(tier, { done }));
}
