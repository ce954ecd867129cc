import type { Clock } from "../clock.js";
import type { Flight } from "../runtime/flight.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { NodeKind, RemoteTier } from "../runtime/node-kind.js";
import type { Operation } from "../runtime/operation.js";
import type { FailedRemoval } from "../tiers/guarded/failed-removal.js";
import type { FailedTier } from "./failed-tier.js";
import type { Written } from "./right-to-left.js";

/** Keeps tiers from answering with a value that is older than one that readers got. */
export class OlderValues {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Handles a value that another process has overtaken. A local tier must not keep an older one,
   * because the readers got this one. A value that is being read from a tier may be older, too.
   */
  lose(kind: NodeKind, activity: KeyActivity, operation: Operation): void {
    if (operation.fenced) return;
    this.#removeLocally({ kind, activity, operation });
    operation.lose();
  }

  /** A value that is being read from a tier may be older, too. */
  #removeLocally({ kind, activity, operation }: Omit<Written, "rights">): void {
    activity.operations.fenceOlderThan(operation.birth);
    kind.latest.removeLocally(activity.key);
  }

  /**
   * Handles a value that readers got, but that is not in all tiers, because a newer operation has
   * overtaken it. While the newer one is under way, no tier may answer with a value that is older
   * than both.
   */
  giveOvertaken({ kind, activity, operation }: Omit<Written, "rights">): void {
    const { birth } = operation;
    if (!activity.operations.hasYoungerThan(birth)) return;
    this.#removeLocally({ kind, activity, operation });
    for (const tier of kind.remoteTiers) activity.unsettle(tier);
    activity.operations.afterYounger(birth, () => {
      for (const tier of kind.remoteTiers) activity.settle(tier);
    });
  }

  /**
   * Handles a value that no tier has stored, because news of a newer one may have been missed. A read
   * may have brought the replaced value to a local tier since.
   */
  removeMissed(written: Omit<Written, "rights">, done?: (failed: readonly FailedTier[]) => void): void {
    const { kind, activity } = written;
    this.#removeLocally(written);
    this.removeFromAll(kind, activity, kind.remoteTiers, done);
  }

  removeReplaced(kind: NodeKind, activity: KeyActivity, operation: Operation): void {
    if (operation.fenced) return;
    kind.latest.removeLocally(activity.key);
    this.removeFromAll(kind, activity, kind.remoteTiers);
  }

  /**
   * Removes older values from tiers, from right to left, each after the one before. A tier that
   * still has the value would refill those on its left.
   *
   * @param done called with the tiers that were not reached
   */
  removeFromAll(
    kind: NodeKind,
    activity: KeyActivity,
    tiers: readonly RemoteTier[],
    done?: (failed: readonly FailedTier[]) => void,
  ): void {
    const failed: FailedTier[] = [];
    for (const tier of tiers) activity.unsettle(tier);
    let place = tiers.length;
    const next = () => {
      place -= 1;
      const tier = tiers[place];
      if (tier !== undefined) {
        activity.remove(tier, { done: (error) => removed(tier, error) });
        return;
      }
      for (const each of tiers) activity.settle(each);
      done?.(failed);
    };
    const removed = (tier: RemoteTier, error: Error | undefined) => {
      if (error === undefined) kind.trust(tier, activity.key);
      else {
        const repeated = kind.distrust(tier, activity.key, this.#clock.now());
        const settled = Promise.all(repeated.map((removal) => removal.settled));
        settled.catch(() => {});
        failed.push({ storage: tier.name, error, settled });
      }
      next();
    };
    next();
  }

  /**
   * Removes an older value. The tier is not read for the key until the removal is done, and while
   * the tier cannot be reached.
   *
   * @param removed called when it is done, with the removals that are repeated
   */
  removeFrom(
    kind: NodeKind,
    activity: KeyActivity,
    tier: RemoteTier,
    removed?: (repeated: readonly FailedRemoval[]) => void,
  ): void {
    activity.unsettle(tier);
    activity.remove(tier, {
      done: (error) => {
        activity.settle(tier);
        if (error === undefined) kind.trust(tier, activity.key);
        const repeated = error === undefined ? [] : kind.distrust(tier, activity.key, this.#clock.now());
        removed?.(repeated);
      },
    });
  }

  /** Does the same. Settles when the tier has the older value no more, perhaps after repetitions. */
  removal(kind: NodeKind, activity: KeyActivity, tier: RemoteTier): Promise<unknown> {
    const settled = new Promise<unknown>((resolve) => {
      this.removeFrom(kind, activity, tier, (repeated) =>
        resolve(Promise.all(repeated.map((removal) => removal.settled))),
      );
    });
    settled.catch(() => {}); // Nobody has to wait for it.
    return settled;
  }
}

/** Returns whether a tier has an expired entry that may be returned instead of a later error. */
export function holdsStale({ runtime, key, replaced }: Flight): boolean {
  if (runtime.staleness?.isUsed !== true) return false;
  if (replaced !== undefined) return true;
  return runtime.localTiers.some(({ storage }) => storage.peek(runtime.space, key) !== undefined);
}
