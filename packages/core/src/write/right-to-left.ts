import type { FillRights } from "../runtime/fill-rights.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { NodeKind, RemoteTier } from "../runtime/node-kind.js";
import type { Operation } from "../runtime/operation.js";
import type { Write } from "../runtime/write-queue.js";
import type { StoredRecord } from "../storage/remote-storage.js";
import type { LeaseFill } from "../tiers/lease-batch.js";

/** The written key, and the operation that writes. */
export interface Written {
  readonly kind: NodeKind;
  readonly activity: KeyActivity;
  readonly operation: Operation;
  /** The rights by which a flight fills; `undefined` for an operation that takes any lease. */
  readonly rights: FillRights | undefined;
}

/**
 * Writes a value into remote tiers from right to left, one after the other. If a storage supports
 * leases, a flight needs its right to fill the tier. It stops at the first tier that does not take
 * the value, because that tier may refill those on its left with an older one.
 */
export abstract class RightToLeft implements Written, Write, LeaseFill {
  readonly kind: NodeKind;
  readonly activity: KeyActivity;
  readonly operation: Operation;
  readonly rights: FillRights | undefined;
  #tiers: readonly RemoteTier[] = [];
  #place = 0;
  #tier: RemoteTier | undefined;
  /** The token by which the tier is filled. */
  token = "";
  /** Whether readers wait for the end. They do not wait for the mutations of other callers. */
  readersWait = false;

  constructor(kind: NodeKind, activity: KeyActivity, operation: Operation, rights: FillRights | undefined) {
    this.kind = kind;
    this.activity = activity;
    this.operation = operation;
    this.rights = rights;
  }

  /** Returns the tier's record, when its request leaves; `undefined` if it must not be stored. */
  protected abstract recordIn(tier: RemoteTier): StoredRecord | undefined;

  /** Called if it is unknown whether the tier has the value. */
  protected abstract failed(tier: RemoteTier, error: Error): void;

  /**
   * Called if the tier has not taken the value, nor have the tiers on its left.
   *
   * @param isOvertaken whether another process may have removed the key, or stored a newer value
   */
  protected abstract lost(tiers: readonly RemoteTier[], isOvertaken: boolean): void;

  /**
   * Called if another caller's mutation of a tier is under way and readers wait. The tier, and those
   * on its left, are not written to.
   */
  protected abstract blocked(tiers: readonly RemoteTier[]): void;

  /** Called at the end. */
  protected abstract ended(): void;

  get birth(): number {
    return this.operation.birth;
  }

  get isBulk(): boolean {
    return this.operation.isBulk;
  }

  get lease(): number | undefined {
    return this.kind.meta.lease;
  }

  get storageKey(): string {
    return this.activity.storageKey;
  }

  /** Begins to write into the tiers. */
  protected writeInto(tiers: readonly RemoteTier[]): void {
    this.#tiers = tiers;
    this.#place = tiers.length;
    this.#next();
  }

  record(): StoredRecord | undefined {
    const tier = this.#tier;
    return tier === undefined || this.operation.fenced ? undefined : this.recordIn(tier);
  }

  /** Handles the answer to a write. */
  done(error: Error | undefined, wasRefused: boolean = false): void {
    const { kind, activity, operation } = this;
    const tier = this.#tier;
    if (tier === undefined) return;
    if (error !== undefined) {
      this.failed(tier, error);
      if (this.#isLeased(tier)) {
        this.#stop(this.#tiers.slice(0, this.#place), false);
        return;
      }
    } else if (wasRefused) {
      // The key was removed from this tier. Those on its left may still have an older value.
      this.#stop(this.#tiers.slice(0, this.#place), true);
      return;
    } else if (!operation.fenced) kind.trust(tier, activity.key);
    this.#next();
  }

  /** Handles the answer to a fill. */
  filled(isStored: boolean | undefined, trouble: Error | undefined): void {
    const { kind, activity, operation } = this;
    const tier = this.#tier;
    if (tier === undefined) return;
    if (isStored === undefined && trouble === undefined) {
      const { storageKey, token } = this;
      tier.storage.leases.release({ storageKey, token });
    } else if (isStored !== true) {
      this.#stop(this.#unfilled, true);
      return;
    } else if (!operation.fenced) kind.trust(tier, activity.key);
    this.#next();
  }

  #next(): void {
    this.#place -= 1;
    this.#tier = this.#tiers[this.#place];
    const tier = this.#tier;
    if (tier === undefined) {
      this.ended();
      return;
    }
    const { activity, rights } = this;
    if (rights === undefined || !this.#isLeased(tier)) {
      if (this.readersWait && activity.mustWait(tier)) {
        this.blocked(this.#unfilled);
        this.ended();
      } else activity.write(tier, this);
      return;
    }
    const right = rights.take(tier);
    if (typeof right === "object") {
      this.token = right.token;
      tier.storage.leases.fill(this);
    } else this.#stop(this.#unfilled, right === "held");
  }

  /** Whether the tier takes a value only by a lease. Then another process may fill it meanwhile. */
  #isLeased({ storage }: RemoteTier): boolean {
    return this.lease !== undefined && storage.leases.isSupported;
  }

  /** The tier, and those on its left. */
  get #unfilled(): readonly RemoteTier[] {
    return this.#tiers.slice(0, this.#place + 1);
  }

  #stop(tiers: readonly RemoteTier[], isOvertaken: boolean): void {
    this.lost(tiers, isOvertaken);
    this.ended();
  }
}
