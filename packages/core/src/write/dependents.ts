import type { Clock } from "../clock.js";
import type { NodeKind } from "../runtime/node-kind.js";
import { dependencyTag } from "../tags/dependency.js";
import type { TagTable } from "../tags/tag-table.js";
import type { Distrust } from "../tiers/distrust.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import type { FailedTier } from "./failed-tier.js";
import { distrustTag } from "./tag-replay.js";

/** The parts of a space that its dependencies need. */
export interface DependentsSpace {
  readonly table: TagTable;
  readonly clock: Clock;
  /** Whether this process has used a class whose values depend on other nodes. */
  readonly hasDependents: boolean;
  /** The remote storages that may hold such values, from right to left. */
  storages(): readonly RemoteBatch[];
}

/**
 * Invalidates the values that depend on a node. They carry a tag that stands for the node. Its
 * generations are removed, because few nodes have one, and the removal of none costs nothing.
 */
export class Dependents {
  readonly #space: DependentsSpace;

  constructor(space: DependentsSpace) {
    this.#space = space;
  }

  /**
   * Returns whether the generations must be removed after the node itself. Otherwise a process may
   * load a dependent value again from the old entry. A process that knows no dependents removes both
   * in one request.
   */
  comeAfter({ activities }: NodeKind, key: string): boolean {
    return this.#space.hasDependents || activities.find(key)?.isMutating === true;
  }

  /** The tags of the space, if this process has used a class whose values depend on other nodes. */
  get knownIn(): TagTable | undefined {
    return this.#space.hasDependents ? this.#space.table : undefined;
  }

  /** Whether this process has used a class whose values depend on other nodes. */
  get areKnown(): boolean {
    return this.#space.hasDependents;
  }

  /** Ends the local entries that depend on the node, and overtakes their loads. */
  overtake({ name }: NodeKind, key: string, birth: number): void {
    this.#space.table.invalidatedNode(name, key, birth);
  }

  /** @param done gets the storages that could not be reached */
  remove(kind: NodeKind, key: string, done: (failed: readonly FailedTier[]) => void): void {
    const { table, clock } = this.#space;
    const name = dependencyTag(kind.name, key);
    const storageKey = table.keyOf(name);
    const storages = this.#storagesOf(kind);
    const failed: FailedTier[] = [];
    const right: Distrust[] = [];
    const next = (place: number) => {
      const storage = storages[place];
      if (storage === undefined) {
        done(failed);
        return;
      }
      const removed = (error: Error | undefined) => {
        const distrust = table.distrustIn(storage);
        // A storage on the left may be refilled from one that was not reached.
        if (error === undefined && right.length === 0) distrust.remove(name);
        else {
          const tag = { name, storage, distrust, right: [...right], now: clock.now() };
          const settled = distrustTag({ ...tag, repeat });
          right.push(distrust);
          if (error !== undefined) failed.push({ storage: storage.name, error, settled });
        }
        next(place + 1);
      };
      const repeat = (ended: (error: Error | undefined) => void) =>
        storage.latest.remove({ storageKey, done: ended });
      repeat(removed);
    };
    next(0);
  }

  #storagesOf({ remoteTiers }: NodeKind): readonly RemoteBatch[] {
    if (this.#space.hasDependents) return this.#space.storages();
    return remoteTiers
      .map(({ storage }) => storage)
      .filter(({ generations }) => generations.isSupported)
      .toReversed();
  }
}
