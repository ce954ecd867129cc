import type { Background } from "../background.js";
import type { Clock } from "../clock.js";
import { encodeEntry, type Packed, pack } from "../entry/entry-codec.js";
import { Failure } from "../entry/failure.js";
import { shortened } from "../entry/jitter.js";
import { freshUntilIn, keptUntilOf, type Lifetime } from "../entry/lifetime.js";
import type { SerializationError } from "../errors.js";
import type { KeptData } from "../runtime/conditional-load.js";
import type { FillRights } from "../runtime/fill-rights.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { NodeKind, RemoteTier, Tier } from "../runtime/node-kind.js";
import { Operation } from "../runtime/operation.js";
import { encodeText } from "../serializer/text-beside.js";
import type { HeldGeneration } from "../storage/local-storage.js";
import type { StoredRecord } from "../storage/remote-storage.js";
import type { OperationTags } from "../tags/operation-tags.js";
import type { TagTable } from "../tags/tag-table.js";
import { cannotBeStored } from "./cannot-be-stored.js";
import type { FailedTier } from "./failed-tier.js";
import type { OlderValues } from "./older-values.js";
import type { Recheck } from "./recheck.js";
import { RightToLeft } from "./right-to-left.js";
import { storableIn } from "./storable-tiers.js";

/** The parts of a space that all values share while they are stored. */
export interface StoringEnvironment {
  readonly background: Background;
  readonly clock: Clock;
  readonly older: OlderValues;
  readonly tags: TagTable;
  /** Returns a number from 0 to 1, as `Math.random` does. */
  readonly random: () => number;
}

/**
 * A value that is being stored in the tiers of one key. It is one object without functions of its
 * own, because every miss makes one.
 */
export class Storing extends RightToLeft {
  readonly #environment: StoringEnvironment;
  readonly value: unknown;
  readonly writtenAt: number;
  readonly lifetime: Lifetime;
  /** The tags, with the generations that the value is stored under; `undefined` without tags. */
  tagged: OperationTags | undefined;
  /** The generations of an entry that a tier holds already. */
  generations: readonly HeldGeneration[] | undefined;
  /** Reads the generations again when a record is sent. */
  recheck: Recheck | undefined;
  /** The data that the load keeps beside the value. */
  kept: KeptData | undefined;
  /** The tiers that may or may not have the value, if somebody wants to know them. */
  failures: FailedTier[] | undefined;
  #bytes: Packed | undefined;
  #replaces = false;
  #done: (() => void) | undefined;

  constructor(
    environment: StoringEnvironment,
    kind: NodeKind,
    activity: KeyActivity,
    operation: Operation,
    rights: FillRights | undefined,
    value: unknown,
    writtenAt: number,
    lifetime: Lifetime,
  ) {
    super(kind, activity, operation, rights);
    this.#environment = environment;
    this.value = value;
    this.writtenAt = writtenAt;
    this.lifetime = lifetime;
    this.kept = operation.conditional?.kept;
  }

  /** Returns the same value, stored by another operation. */
  by(operation: Operation): Storing {
    const { kind, activity, rights, value, writtenAt, lifetime } = this;
    const other = new Storing(
      this.#environment,
      kind,
      activity,
      operation,
      rights,
      value,
      writtenAt,
      lifetime,
    );
    other.tagged = this.tagged;
    other.generations = this.generations;
    other.recheck = this.recheck;
    other.kept = this.kept;
    return other;
  }

  /** Whether it is the error of a load in the place of a value. */
  get isFailure(): boolean {
    return Failure.is(this.value);
  }

  /**
   * Returns the remote tiers that may store the value. Without its leases, an error might take the
   * place of another process's value.
   */
  storableTiers(): readonly RemoteTier[] {
    const { kind, rights, tagged } = this;
    const isUnsafe = this.isFailure && kind.remoteTiers.some((tier) => !rights?.holds(tier));
    return isUnsafe ? [] : storableIn(kind.remoteTiers, tagged);
  }

  /** Returns the value as bytes, made once for all remote tiers. */
  packed(): Packed | SerializationError {
    const { kind, activity, value } = this;
    const { serializer } = kind.meta;
    try {
      const packed = pack(serializer, value, activity.storageKey, { node: kind.name, key: activity.key });
      if (this.kept === undefined) return packed;
      return { ...packed, kept: encodeText(serializer, this.kept.text, activity.storageKey) };
    } catch (error) {
      return cannotBeStored(error, kind, activity.key);
    }
  }

  /**
   * Writes the bytes into the tiers.
   *
   * @param replaces whether the tiers may hold an older value, which is removed if this one cannot
   *   be stored
   * @param done called when the tiers have answered
   */
  write(tiers: readonly RemoteTier[], bytes: Packed, replaces: boolean, done: () => void): void {
    this.#bytes = bytes;
    this.#replaces = replaces;
    this.#done = done;
    this.writeInto(tiers);
  }

  /** Writes the bytes into the tiers after the readers were answered. */
  writeBehind(tiers: readonly RemoteTier[], bytes: Packed, replaces: boolean): void {
    const { activity } = this;
    const afterwards = new Operation(this.operation.birth);
    afterwards.mustReplace = replaces;
    activity.operations.begin(afterwards);
    if (replaces) for (const tier of tiers) activity.unsettle(tier);
    const end = this.#environment.background.begin();
    const written = this.by(afterwards);
    written.write(tiers, bytes, replaces, () => {
      // The readers know the value. Whatever overtook it has perhaps not reached each tier yet.
      if (replaces && afterwards.fenced) this.#environment.older.giveOvertaken(written);
      if (replaces && afterwards.missed) this.#environment.older.removeMissed(written);
      if (replaces) for (const tier of tiers) activity.settle(tier);
      activity.operations.end(afterwards);
      activity.rest();
      end();
    });
  }

  protected override blocked(tiers: readonly RemoteTier[]): void {
    if (this.#bytes !== undefined) this.writeBehind(tiers, this.#bytes, true);
  }

  /**
   * Stores the value in the local tiers. Never throws, because a reader waits behind it.
   *
   * @param before the place of the first tier that does not get it
   */
  storeLocally(before: number): SerializationError | undefined {
    const { kind, activity, operation, writtenAt, tagged } = this;
    const { clock, tags } = this.#environment;
    if (operation.fenced || kind.bypassesLocalTiers) return undefined;
    if (tagged !== undefined && tags.isOvertaken(tagged.all, operation.birth)) {
      kind.latest.removeLocally(activity.key);
      return undefined;
    }
    if (operation.cleared) {
      // A value that was read from a remote tier since the clear may be older.
      kind.latest.removeLocally(activity.key);
      return undefined;
    }
    const now = clock.now();
    let refused: SerializationError | undefined;
    const space = this.#localSpace();
    // A storage may copy values, and copies no instances of our classes.
    const value = Failure.is(this.value) ? this.value.toText() : this.value;
    for (const tier of kind.localTiers) {
      if (tier.index >= before) continue;
      const freshUntil = this.#freshUntilIn(tier, now);
      const idleUntil = this.#keptIdle && now + this.#keptIdle;
      const keptUntil = keptUntilOf(freshUntil, this.#heldFor, idleUntil);
      // Reads may keep it until its ttl ends.
      const generations = this.#generationsUntil(keptUntilOf(freshUntil, this.#heldFor));
      if (generations === undefined && tagged !== undefined) {
        tier.storage.remove(space, activity.key);
        continue;
      }
      try {
        const kept = this.kept?.data;
        const record = { value, writtenAt, freshUntil, generations, keptUntil, idleUntil, kept };
        tier.storage.write(space, activity.key, record, now);
      } catch (error) {
        tier.storage.remove(space, activity.key);
        refused = cannotBeStored(error, kind, activity.key);
      }
    }
    return refused;
  }

  /**
   * Returns the space in which local tiers store the value. A value takes the place of a cached error.
   */
  #localSpace(): number {
    const { kind, activity } = this;
    if (kind.errorSpace === undefined) return kind.space;
    if (this.isFailure) return kind.errorSpace;
    kind.removeErrors(activity.key);
    return kind.space;
  }

  /** The milliseconds for which the entry is held after its end. An error is not. */
  get #heldFor(): number {
    return this.isFailure ? 0 : this.kind.meta.heldFor;
  }

  /** The milliseconds for which the entry is kept without a read. An error has no such time. */
  get #keptIdle(): number | undefined {
    return this.isFailure ? undefined : this.kind.meta.idle?.keptFor;
  }

  #freshUntilIn({ ttl, index }: Tier, now: number): number {
    const { kind, lifetime } = this;
    const own = shortened(ttl, kind.meta.jitter, this.#environment.random);
    return freshUntilIn(own, index === kind.tiers.length - 1, lifetime, now);
  }

  /**
   * Returns the generations that a local entry holds; `undefined` if a tagged value must not be
   * stored.
   */
  #generationsUntil(neededUntil: number): readonly HeldGeneration[] | undefined {
    const { kind, tagged, generations } = this;
    if (tagged === undefined) return generations;
    const storages = kind.remoteTiers.map(({ storage }) => storage);
    return tagged.held(storages, neededUntil);
  }

  /**
   * Makes a tier's record when its request leaves, in the storage's time. Returns `undefined` if the
   * value must not be stored: the storage has taken the name of the one that told the generations.
   */
  protected override recordIn(tier: RemoteTier): StoredRecord | undefined {
    const { activity, kind, writtenAt, tagged } = this;
    const bytes = this.#bytes;
    if (bytes === undefined) return undefined;
    const now = this.#environment.clock.now();
    const { storage } = tier.destination;
    const section = tagged?.section(storage);
    if (tagged !== undefined && section === undefined) {
      this.operation.fenced = true;
      this.operation.missed = true;
      return undefined;
    }
    this.recheck?.start(storage);
    const key = activity.storageKey;
    const { offset } = storage.clock;
    const freshUntil = this.#freshUntilIn(tier, now);
    const times = { writtenAt: writtenAt + offset, freshUntil: freshUntil + offset };
    // Writes the value even if it has already expired; otherwise an older value would remain.
    const freshFor =
      freshUntil === Number.POSITIVE_INFINITY ? undefined : Math.max(1, Math.ceil(freshUntil - now));
    const encoded = encodeEntry(bytes, kind.fingerprint, key, times, section);
    const heldFor = this.#heldFor;
    const keptIdle = this.#keptIdle;
    if (keptIdle !== undefined) storage.touches.note(key);
    if (heldFor === 0 || freshFor === undefined)
      return {
        key,
        bytes: encoded,
        ttl: keptIdle === undefined ? freshFor : Math.min(freshFor ?? keptIdle, keptIdle),
      };
    return {
      key,
      bytes: encoded,
      ttl: Math.min(freshFor + heldFor, keptIdle ?? Number.POSITIVE_INFINITY),
      freshFor,
    };
  }

  protected override failed(tier: RemoteTier, error: Error): void {
    const { kind, activity, operation, failures } = this;
    operation.isUnstored = true;
    if (failures === undefined || operation.fenced || !this.#replaces) {
      failures?.push({ storage: tier.name, error });
      this.#removeOlder(tier);
      return;
    }
    const settled = this.#environment.older.removal(kind, activity, tier);
    failures.push({ storage: tier.name, error, settled });
  }

  protected override lost(tiers: readonly RemoteTier[], isOvertaken: boolean): void {
    const { kind, activity, operation } = this;
    operation.isUnstored = true;
    if (this.#replaces && !operation.fenced) this.#environment.older.removeFromAll(kind, activity, tiers);
    if (isOvertaken) this.#environment.older.lose(kind, activity, operation);
  }

  protected override ended(): void {
    this.#done?.();
  }

  /** Removes an older value from a tier that does not get this one. */
  #removeOlder(tier: RemoteTier): void {
    const { kind, activity, operation } = this;
    if (this.#replaces && !operation.fenced) this.#environment.older.removeFrom(kind, activity, tier);
  }
}
