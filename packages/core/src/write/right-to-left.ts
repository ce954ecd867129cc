import type { KeyActivity } from "../runtime/key-activity.js";
import type { NodeKind, RemoteTier } from "../runtime/node-kind.js";
import type { Operation } from "../runtime/operation.js";
import type { Write } from "../runtime/write-queue.js";
import type { StoredRecord } from "../storage/remote-storage.js";

/** The written key, and the operation that writes. */
export interface Written {
  readonly kind: NodeKind;
  readonly activity: KeyActivity;
  readonly operation: Operation;
}

/** The steps of one value's writes. */
export interface WriteSteps {
  /** Returns the tier's record, when its request leaves. */
  record(tier: RemoteTier): StoredRecord;
  failed(tier: RemoteTier, error: Error): void;
  /** Called when all tiers have answered. */
  done(): void;
}

/** Writes a value into remote tiers from right to left, one after the other. */
export class RightToLeft implements Write {
  readonly #written: Written;
  readonly #tiers: readonly RemoteTier[];
  readonly #steps: WriteSteps;
  #place: number;
  #tier: RemoteTier | undefined;

  constructor(written: Written, tiers: readonly RemoteTier[], steps: WriteSteps) {
    this.#written = written;
    this.#tiers = tiers;
    this.#steps = steps;
    this.#place = tiers.length;
  }

  get birth(): number {
    return this.#written.operation.birth;
  }

  begin(): void {
    this.#next();
  }

  record(): StoredRecord | undefined {
    const tier = this.#tier;
    return tier === undefined || this.#written.operation.fenced ? undefined : this.#steps.record(tier);
  }

  done(error: Error | undefined): void {
    const { kind, activity, operation } = this.#written;
    const tier = this.#tier;
    if (tier === undefined) return;
    if (error !== undefined) this.#steps.failed(tier, error);
    else if (!operation.fenced) kind.trust(tier, activity.key);
    this.#next();
  }

  #next(): void {
    this.#place -= 1;
    this.#tier = this.#tiers[this.#place];
    if (this.#tier === undefined) this.#steps.done();
    else this.#written.activity.write(this.#tier, this);
  }
}
