import { IncompleteError, sentence } from "../errors.js";
import type { Events } from "../events.js";
import { nodeLabel } from "../node/key.js";
import type { RemoteTier } from "../plan/node-kind.js";
import { Operation } from "../plan/operation.js";
import type { Plan } from "../plan/plan.js";

/** A key that is to be removed from every tier. */
export interface Removal {
  readonly plan: Plan;
  readonly key: string;
}

/**
 * Removes the keys from every tier. When it resolves, no read that begins later is answered with a value whose load began
 * before the call.
 *
 * Everything that runs for a key when it is called is fenced, so that nothing old is stored any more; and until the removal
 * is done, whatever begins for the key reads no remote tier, so that nothing that is being removed finds its way back. What
 * begins after the call and loads, or sets, is newer than the removal, and is stored.
 *
 * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` where a remote tier could not be reached
 */
export async function invalidate(removals: readonly Removal[], events: Events): Promise<void> {
  const operations = removals.map(({ plan, key }) => {
    const operation = new Operation(true);
    plan.operations.fence(key);
    plan.operations.begin(key, operation);
    dropLocally(plan, key);
    return { plan, key, operation };
  });
  const failures = await Promise.all(
    operations.map(({ plan, key, operation }) => {
      if (plan.remoteTiers.length === 0) return [];
      const removed = removeRemotely(plan, key, plan.operations.mutations(key, operation));
      operation.mutates(removed);
      return removed;
    }),
  );
  for (const { plan, key, operation } of operations) plan.operations.end(key, operation);
  for (const [index, { plan, key }] of removals.entries()) {
    const isDone = failures[index]?.length === 0;
    if (isDone && events.listeners.invalidate !== null) events.emit("invalidate", { node: plan.name, key });
  }
  refuseIncomplete(removals, failures);
}

function dropLocally(plan: Plan, key: string): void {
  for (const tier of plan.localTiers) tier.storage.remove(plan.space, key);
}

interface Failure {
  readonly storage: string;
  readonly error: Error;
}

/** Removes when the writes that others have on their way have landed: a storage may carry out two requests in any order. */
async function removeRemotely(
  plan: Plan,
  key: string,
  others: Promise<unknown> | undefined,
): Promise<Failure[]> {
  if (others !== undefined) await others;
  const storageKey = plan.storageKey(key);
  const outcomes = await Promise.all(plan.remoteTiers.map((tier) => removeFrom(tier, storageKey)));
  return outcomes.filter((outcome) => outcome !== undefined);
}

function removeFrom(tier: RemoteTier, storageKey: string): Promise<Failure | undefined> {
  return new Promise((resolve) =>
    tier.storage.remove({
      storageKey,
      done: (error) => resolve(error === undefined ? undefined : { storage: tier.name, error }),
    }),
  );
}

function refuseIncomplete(removals: readonly Removal[], failures: readonly (readonly Failure[])[]): void {
  const failed = failures.flat();
  const [first] = failed;
  if (first === undefined) return;
  const storages = [...new Set(failed.map(({ storage }) => storage))];
  const stale = removals.filter((_, index) => (failures[index]?.length ?? 0) > 0);
  const [{ plan, key } = { plan: undefined, key: undefined }] = stale;
  const others = stale.length > 1 ? ` and ${stale.length - 1} more` : "";
  throw new IncompleteError(
    "CACHEME_INVALIDATION_INCOMPLETE",
    `${nodeLabel(plan?.name ?? "", key ?? "")}${others} may still stand in ${storages.join(", ")}, which could not be reached: ` +
      `${sentence(first.error.message)} The other tiers are done. Invalidate again when the storage is back.`,
    storages,
    { node: plan?.name, key, storage: first.storage, cause: first.error },
  );
}
