import type { Clock } from "../clock.js";
import type { Packed } from "../entry/entry-codec.js";
import { SerializationError } from "../errors.js";
import { captureOwn } from "../runtime/capture-tags.js";
import { FillRights } from "../runtime/fill-rights.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { NodeKind, RemoteTier } from "../runtime/node-kind.js";
import { nextBirth, Operation } from "../runtime/operation.js";
import { OperationTags } from "../tags/operation-tags.js";
import type { Tag } from "../tags/tag.js";
import type { Dependents } from "./dependents.js";
import type { FailedTier } from "./failed-tier.js";
import { removeWithDependents } from "./invalidate.js";
import { SaveStoring } from "./save-storing.js";
import { storableIn } from "./storable-tiers.js";
import type { Store } from "./store.js";

/** The parts of a space that a save needs. */
export interface ThroughEnvironment {
  readonly clock: Clock;
  readonly store: Store;
  readonly dependents: Dependents;
}

/** A value to write through, checked. */
export interface ThroughValue {
  readonly kind: NodeKind;
  readonly key: string;
  readonly value: unknown;
  /** Milliseconds; `undefined` for the tiers' own. */
  readonly ttl: number | undefined;
  readonly tags: readonly Tag[] | undefined;
  /** Whether the local tiers take the value, too. */
  readonly storesLocally: boolean;
  /**
   * Gets the error of a value that the tiers' serializer cannot carry. The tiers must drop the key
   * then. Without it the write throws.
   */
  readonly uncarried?: ((error: SerializationError) => void) | undefined;
}

/**
 * The part of a save that concerns the tiers, around the write into the source. It takes each
 * tier's lease before the source is written, because a load of another process may have begun
 * before, and must not store afterwards.
 *
 * A save has two births. From its sending on, newer operations may overtake it. It overtakes each
 * operation that began before its answer, because that may have read the old value.
 */
export class ThroughWrite {
  readonly #environment: ThroughEnvironment;
  readonly #value: ThroughValue;
  readonly #activity: KeyActivity;
  readonly #operation: Operation;
  readonly #storing: SaveStoring;
  readonly #rights: FillRights;
  readonly #bytes: Packed | undefined;

  /**
   * @throws SerializationError if a remote tier's serializer cannot carry the value; then nothing
   *   has changed
   */
  constructor(environment: ThroughEnvironment, given: ThroughValue) {
    const { kind, key, value, ttl, tags } = given;
    const { clock, store } = environment;
    this.#environment = environment;
    this.#value = given;
    this.#activity = kind.activities.of(key);
    this.#operation = new Operation(nextBirth());
    this.#operation.mustReplace = true;
    this.#rights = new FillRights(this.#activity.storageKey);
    const rights = kind.meta.lease === undefined ? undefined : this.#rights;
    const writtenAt = clock.now();
    this.#storing = new SaveStoring(
      store.environment,
      kind,
      this.#activity,
      this.#operation,
      rights,
      value,
      writtenAt,
      store.retaining.lifetimeOf(kind, ttl, writtenAt),
    );
    if (tags !== undefined) this.#storing.tagged = new OperationTags(tags);
    this.#operation.tagged = this.#storing.tagged;
    const bytes = kind.remoteTiers.length === 0 ? undefined : this.#storing.packed();
    if (bytes instanceof SerializationError && given.uncarried === undefined) {
      this.#activity.rest();
      throw bytes;
    }
    if (bytes instanceof SerializationError) given.uncarried?.(bytes);
    else this.#bytes = bytes;
  }

  /** Overtakes what is under way, and takes the leases. Settles when the source may be written. */
  async begin(): Promise<void> {
    const { kind } = this.#value;
    this.#activity.operations.overtake(this.#operation);
    this.#activity.operations.begin(this.#operation);
    const { tagged } = this.#storing;
    if (tagged !== undefined) {
      const { clock } = this.#environment;
      await new Promise<unknown>((resolve) =>
        captureOwn({ kind, tagged, tiers: kind.remoteTiers, clock }, resolve),
      );
    }
    await Promise.all(kind.remoteTiers.map((tier) => this.#acquire(tier)));
  }

  #acquire(tier: RemoteTier): Promise<void> | undefined {
    const { lease } = this.#value.kind.meta;
    const { leases } = tier.storage;
    if (lease === undefined || !leases.isSupported) return undefined;
    return new Promise((resolve) => {
      leases.acquire({
        storageKey: this.#activity.storageKey,
        duration: lease,
        steal: true,
        seen: undefined,
        acquired: (answer) => {
          this.#rights.add(tier, answer?.outcome === "granted" ? answer : "unreachable");
          resolve();
        },
      });
    });
  }

  /** Ends without a change, because the source has refused the value. */
  refused(): void {
    this.#rights.giveBack();
    this.#end();
  }

  /**
   * Removes the key from every tier, because the source may have the value.
   *
   * @returns the tiers that could not be reached
   */
  async unknown(): Promise<readonly FailedTier[]> {
    this.#rights.giveBack();
    const failed = await this.#remove();
    this.#end();
    return failed;
  }

  /**
   * Stores the value, because the source has it.
   *
   * @returns the tiers that may have an older value
   */
  async saved(): Promise<readonly FailedTier[]> {
    const { kind, key } = this.#value;
    const operation = this.#operation;
    const { operations } = this.#activity;
    const birth = nextBirth();
    const { tagged } = this.#storing;
    const { store, dependents } = this.#environment;
    if (tagged !== undefined && store.tags.isOvertaken(tagged.own, operation.birth)) operation.fenced = true;
    if (operation.fenced) operations.fenceOlderThan(birth);
    else {
      operation.birth = birth;
      operations.overtake(operation);
    }
    kind.latest.removeLocally(key);
    dependents.overtake(kind, key, birth);
    if (!(await this.#fill())) {
      const failed = await this.#remove();
      this.#end();
      return failed;
    }
    // A tier that was read meanwhile may have answered with the replaced value.
    operations.overtake(operation);
    if (this.#value.storesLocally) this.#storing.storeLocally(kind.tiers.length);
    const failed = await new Promise<readonly FailedTier[]>((resolve) =>
      dependents.remove(kind, key, resolve),
    );
    dependents.overtake(kind, key, nextBirth());
    await new Promise<void>((resolve) => kind.announce(key, resolve));
    this.#end();
    return failed;
  }

  /** Returns whether each remote tier has the value, and nothing has overtaken the save. */
  async #fill(): Promise<boolean> {
    const { kind } = this.#value;
    const tiers = storableIn(kind.remoteTiers, this.#storing.tagged);
    if (this.#operation.fenced || kind.isReplaced || tiers.length < kind.remoteTiers.length) {
      this.#rights.giveBack();
      return false;
    }
    const bytes = this.#bytes;
    if (bytes !== undefined)
      await new Promise<void>((resolve) => this.#storing.write(tiers, bytes, true, resolve));
    return !(this.#storing.mustRemove || this.#operation.fenced);
  }

  #remove(): Promise<readonly FailedTier[]> {
    const { kind, key } = this.#value;
    const { clock, dependents } = this.#environment;
    return new Promise((resolve) =>
      removeWithDependents({ kind: kind.latest, key, clock, dependents }, resolve),
    );
  }

  #end(): void {
    this.#activity.operations.end(this.#operation);
    this.#activity.rest();
  }
}
