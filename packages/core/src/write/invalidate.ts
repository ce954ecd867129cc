import type { Clock } from "../clock.js";
import type { Events } from "../events.js";
import { changesKeys } from "../request/own-changes.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { NodeKind, RemoteTier } from "../runtime/node-kind.js";
import { nextBirth, Operation } from "../runtime/operation.js";
import type { Dependents } from "./dependents.js";
import { expireIn, expireLocally, mayExpire } from "./expire.js";
import type { FailedTier } from "./failed-tier.js";
import { incompleteInvalidation, type Unreached } from "./incomplete.js";

/** The way to make a key's entries invalid: gone, or kept as stale values if the class returns such ones. */
export type InvalidationKind = "invalidate" | "expire";

/** A key to remove from every tier. */
export interface Removal {
  readonly runtime: ClassRuntime;
  readonly key: string;
}

/**
 * Removes the keys from every tier. When it resolves, no later read is answered with a value whose
 * load began before the call.
 *
 * The call fences every running operation of a key, so that no old value is stored any more. Until
 * the removal is done, no remote tier is read for the key, so that no removed value comes back. A
 * load or a `set` that begins after the call is newer than the removal, and is stored.
 *
 * @param what whether the tiers keep the entries as stale ones. A tier that could not be reached
 *   removes its entry
 * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a remote tier could not be reached.
 *   The removal is repeated until it succeeds, and the tier is not read for the key until then.
 */
export function invalidate(
  removals: readonly Removal[],
  clock: Clock,
  events: Events,
  dependents: Dependents,
  what: InvalidationKind = "invalidate",
): Promise<void> {
  return new Promise((resolve, reject) => {
    const given = withoutRepeats(removals);
    const dropAgain = changesKeys(given, dependents.knownIn);
    const stale: Unreached[] = [];
    let waiting = given.length;
    if (waiting === 0) resolve();
    for (const { runtime, key } of given) {
      removeWithDependents({ kind: runtime.kind, key, clock, dependents, what }, (failed) => {
        const { name } = runtime;
        const emit = () => {
          if (events.listeners[what] !== null) events.emit(what, { node: name, key });
        };
        if (failed.length === 0) emit();
        else {
          stale.push({ name, key, failed });
          const settled = Promise.all(failed.map((tier) => tier.settled));
          settled.then(emit, () => {}); // Closed before.
        }
        waiting -= 1;
        if (waiting > 0) return;
        dropAgain?.();
        const error = incompleteInvalidation(stale);
        if (error === undefined) resolve();
        else reject(error);
      });
    }
  });
}

/**
 * Returns each key once. A list may name a key many times, and each time would check the operations
 * of all the others.
 */
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

/** The node to remove, and the values that depend on it. */
interface RemovalWithDependents {
  readonly kind: NodeKind;
  readonly key: string;
  readonly clock: Clock;
  readonly dependents: Dependents;
  /** Default: the node's entries are removed. */
  readonly what?: InvalidationKind | undefined;
}

/** Removes a node, and invalidates the values that depend on it. */
export function removeWithDependents(
  { kind, key, clock, dependents, what }: RemovalWithDependents,
  done: (failed: readonly FailedTier[]) => void,
): void {
  dependents.overtake(kind, key, nextBirth());
  const failed: FailedTier[] = [];
  const comesAfter = dependents.comeAfter(kind, key);
  let waiting = 2;
  const ended = (unreached: readonly FailedTier[]) => {
    failed.push(...unreached);
    waiting -= 1;
    if (waiting > 0) return;
    dependents.overtake(kind, key, nextBirth());
    done(withoutRepeatedTiers(failed));
  };
  const removeDependents = () => dependents.remove(kind, key, ended);
  remove(kind, key, clock, what, (unreached) => {
    ended(unreached);
    if (comesAfter) removeDependents();
  });
  if (!comesAfter) removeDependents();
}

function withoutRepeatedTiers(failed: readonly FailedTier[]): readonly FailedTier[] {
  const byStorage = new Map<string, FailedTier>();
  for (const tier of failed) {
    const first = byStorage.get(tier.storage);
    const settled = first === undefined ? tier.settled : Promise.all([first.settled, tier.settled]);
    settled?.catch(() => {});
    byStorage.set(tier.storage, { ...(first ?? tier), settled });
  }
  return [...byStorage.values()];
}

function remove(
  kind: NodeKind,
  key: string,
  clock: Clock,
  what: InvalidationKind | undefined,
  done: (failed: readonly FailedTier[]) => void,
): void {
  const birth = nextBirth();
  const tiers = kind.remoteTiers;
  const announce = (failed: readonly FailedTier[]) => kind.announce(key, () => done(failed));
  const known = kind.activities.find(key);
  const windows = what === "expire" && mayExpire(kind, key, known) ? kind.meta.stale : undefined;
  known?.operations.fenceOlderThan(birth);
  kind.staleness?.backOffs.succeeded(key);
  if (windows === undefined) kind.removeLocally(key);
  else expireLocally(kind, key, clock.now());
  if (tiers.length === 0) {
    announce([]);
    return;
  }
  const activity = known ?? kind.activities.of(key);
  const operation = new Operation(birth);
  activity.operations.begin(operation);
  for (const tier of tiers) activity.unsettle(tier);
  const failed: FailedTier[] = [];
  let place = tiers.length;
  // Goes from right to left, one tier after the other. A tier that still has the value would refill
  // those on its left.
  const next = () => {
    place -= 1;
    const tier = tiers[place];
    if (tier !== undefined) {
      const change = { done: (error: Error | undefined) => removed(tier, error) };
      if (windows === undefined) activity.remove(tier, change);
      else expireIn(tier, { kind, activity, operation, clock, windows }, change.done);
      return;
    }
    for (const each of tiers) activity.settle(each);
    activity.operations.end(operation);
    activity.rest();
    announce(failed);
    if (failed.length === 0) return;
    // Meanwhile other processes may have filled their local tiers with the old value again.
    Promise.all(failed.map(({ settled }) => settled)).then(
      () => kind.announce(key, () => {}),
      () => {}, // Closed before.
    );
  };
  const removed = (tier: RemoteTier, error: Error | undefined) => {
    if (error === undefined) kind.trust(tier, key);
    else {
      const removals = kind.distrust(tier, key, clock.now());
      const settled = Promise.all(removals.map((removal) => removal.settled));
      settled.catch(() => {});
      failed.unshift({ storage: tier.name, error, settled });
    }
    next();
  };
  next();
}
