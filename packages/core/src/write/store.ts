import type { Clock } from "../clock.js";
import type { Cached } from "../entry/entry.js";
import { encodeEntry, type Packed, pack } from "../entry/entry-codec.js";
import { freshUntilIn, type Lifetime, lifetimeOf } from "../entry/lifetime.js";
import { SerializationError } from "../errors.js";
import type { Events } from "../events.js";
import type { Flight } from "../runtime/flight.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { NodeKind, RemoteTier } from "../runtime/node-kind.js";
import { Operation } from "../runtime/operation.js";
import type { StoredRecord } from "../storage/remote-storage.js";
import { cannotBeStored } from "./cannot-be-stored.js";
import { NotStored } from "./not-stored.js";
import { RightToLeft } from "./right-to-left.js";

/** For a kind without remote tiers, which packs nothing. */
const nothingPacked: Packed = { codec: 0, payload: new Uint8Array(0), compression: undefined };

/** A tier of which it is not known whether it has the value now. */
export interface FailedTier {
  readonly storage: string;
  readonly error: Error;
}

/** A value on its way into the tiers of one key. */
interface Storing {
  readonly kind: NodeKind;
  readonly activity: KeyActivity;
  readonly operation: Operation;
  readonly value: unknown;
  readonly writtenAt: number;
  readonly lifetime: Lifetime;
}

/**
 * Puts values into tiers: the remote ones first, from right to left, each after the one before, then the local ones. Nothing
 * that a newer operation has overtaken is stored.
 */
export class Store {
  readonly #clock: Clock;
  readonly #notStored: NotStored;

  constructor(clock: Clock, events: Events) {
    this.#clock = clock;
    this.#notStored = new NotStored(events);
  }

  /** Gives an entry that a tier holds to the tiers on its left, for what is left of its time. */
  backFill(flight: Flight, entry: Cached, from: number): void {
    const { kind } = flight.runtime;
    if (from === 0 || kind.isReplaced) return;
    const { value, writtenAt, freshUntil } = entry;
    const lifetime = { limit: freshUntil, explicit: false };
    const storing = { kind, activity: flight.activity, operation: flight, value, writtenAt, lifetime };
    this.#storeLocally(storing, from);
    const tiers = kind.remoteTiers.filter(({ index }) => index < from);
    if (tiers.length === 0 || kind.activities.isClosed) return;
    const packed = this.#packed(storing);
    // No reader waits for these: the tier that has the value goes on to answer with it.
    if (!(packed instanceof SerializationError)) this.#writeBehind(storing, tiers, packed, false);
  }

  /**
   * Stores what a flight has loaded. If the tiers may hold an older value, and the new one cannot be stored, the older one is
   * removed: no later reader gets it.
   *
   * @param done is called when the readers may be answered
   */
  storeLoaded(flight: Flight, value: unknown, writtenAt: number, done: () => void): void {
    const { kind } = flight.runtime;
    const { activity, key } = flight;
    // An older mutation that is on its way leaves an older value, too.
    const replaces = flight.replaces || kind.remoteTiers.some((tier) => activity.mustWait(tier));
    if (flight.fenced || kind.activities.isClosed) {
      if (flight.fenced) this.#giveOvertaken({ kind, activity, operation: flight });
      done();
      return;
    }
    // The doorkeeper hears of the key in any case.
    const isAdmitted = kind.doorkeeper === undefined || kind.doorkeeper.admits(key) || flight.refreshes;
    if (flight.skip || !isAdmitted || kind.isReplaced) {
      if (replaces) this.#removeReplaced(kind, activity, flight);
      done();
      return;
    }
    const storing = {
      kind,
      activity,
      operation: flight,
      value,
      writtenAt,
      lifetime: lifetimeOf(flight.ttl, writtenAt),
    };
    const tiers = kind.remoteTiers;
    const storeLocally = () => {
      if (flight.fenced) this.#giveOvertaken(storing);
      const refused = this.#storeLocally(storing, kind.tiers.length);
      if (refused !== undefined) this.#notStored.report(kind, key, refused);
      done();
    };
    if (tiers.length === 0) {
      storeLocally();
      return;
    }
    const packed = this.#packed(storing);
    if (packed instanceof SerializationError) {
      this.#notStored.report(kind, key, packed);
      if (replaces) for (const tier of tiers) this.#removeFrom(kind, activity, tier);
      this.#storeLocally(storing, kind.tiers.length);
      done();
      return;
    }
    this.#writeRemotely(storing, tiers, packed, replaces, storeLocally);
  }

  /**
   * Stores what a caller has, and overtakes what began earlier.
   *
   * @throws SerializationError if a remote tier's serializer cannot carry the value; then nothing has changed
   */
  storeGiven(
    kind: NodeKind,
    activity: KeyActivity,
    operation: Operation,
    value: unknown,
    ttl: number | undefined,
    done: (failed: readonly FailedTier[], refused: SerializationError | undefined) => void,
  ): void {
    const writtenAt = this.#clock.now();
    const storing = { kind, activity, operation, value, writtenAt, lifetime: lifetimeOf(ttl, writtenAt) };
    const packed = kind.remoteTiers.length === 0 ? nothingPacked : this.#packed(storing);
    if (packed instanceof SerializationError) throw packed;
    activity.operations.fenceOlderThan(operation.birth);
    activity.operations.begin(operation);
    const failed: FailedTier[] = [];
    const storeLocally = () => {
      // What was read from a tier meanwhile may be what this has replaced.
      if (operation.fenced) this.#giveOvertaken(storing);
      else activity.operations.fenceOlderThan(operation.birth);
      done(failed, this.#storeLocally(storing, kind.tiers.length));
    };
    this.#writeRightToLeft(storing, kind.remoteTiers, packed, true, failed, storeLocally);
  }

  /** Stores what a synchronous load has given, for a kind whose tiers are all local. */
  storeLocally(
    kind: NodeKind,
    activity: KeyActivity,
    operation: Operation,
    value: unknown,
    ttl: number | undefined,
  ): void {
    const writtenAt = this.#clock.now();
    if (!operation.fenced) activity.operations.fenceOlderThan(operation.birth);
    const storing = { kind, activity, operation, value, writtenAt, lifetime: lifetimeOf(ttl, writtenAt) };
    this.#storeLocally(storing, kind.tiers.length);
  }

  /** Calls `done` when the tiers have answered, or at once if another mutation of the key is on its way. */
  #writeRemotely(
    storing: Storing,
    tiers: readonly RemoteTier[],
    packed: Packed,
    replaces: boolean,
    done: () => void,
  ): void {
    const { activity } = storing;
    if (!tiers.some((tier) => activity.mustWait(tier))) {
      this.#writeRightToLeft(storing, tiers, packed, replaces, [], done);
      return;
    }
    // A reader does not wait for somebody else's mutation. Until the value is stored, the tiers may answer with an older one.
    this.#writeBehind(storing, tiers, packed, true);
    done();
  }

  /** Writes while the readers have their answer. */
  #writeBehind(storing: Storing, tiers: readonly RemoteTier[], packed: Packed, replaces: boolean): void {
    const { activity } = storing;
    const afterwards = new Operation(storing.operation.birth);
    activity.operations.begin(afterwards);
    if (replaces) for (const tier of tiers) activity.unsettle(tier);
    this.#writeRightToLeft({ ...storing, operation: afterwards }, tiers, packed, replaces, [], () => {
      if (replaces) for (const tier of tiers) activity.settle(tier);
      activity.operations.end(afterwards);
      activity.rest();
    });
  }

  #writeRightToLeft(
    storing: Storing,
    tiers: readonly RemoteTier[],
    packed: Packed,
    replaces: boolean,
    failed: FailedTier[],
    done: () => void,
  ): void {
    new RightToLeft(storing, tiers, {
      record: (tier) => this.#record(storing, tier, packed),
      failed: (tier, error) => {
        failed.push({ storage: tier.name, error });
        const { kind, activity, operation } = storing;
        if (replaces && !operation.fenced) this.#removeFrom(kind, activity, tier);
      },
      done,
    }).begin();
  }

  /** Made when the request leaves, in the storage's time. */
  #record(storing: Storing, tier: RemoteTier, packed: Packed): StoredRecord {
    const { activity, kind, lifetime, writtenAt } = storing;
    const key = activity.storageKey;
    const now = this.#clock.now();
    const { offset } = tier.destination.storage.clock;
    const freshUntil = freshUntilIn(tier.ttl, tier.index === kind.tiers.length - 1, lifetime, now);
    const times = { writtenAt: writtenAt + offset, freshUntil: freshUntil + offset };
    const bytes = encodeEntry(packed, kind.fingerprint, key, times);
    if (freshUntil === Number.POSITIVE_INFINITY) return { key, bytes, ttl: undefined };
    // Writes the value even if it has already expired; otherwise an older value would remain.
    return { key, bytes, ttl: Math.max(1, Math.ceil(freshUntil - now)) };
  }

  /** The value as bytes, once for all remote tiers. */
  #packed({ kind, activity, value }: Storing): Packed | SerializationError {
    try {
      return pack(kind.meta.serializer, value, { node: kind.name, key: activity.key });
    } catch (error) {
      return cannotBeStored(error, kind, activity.key);
    }
  }

  /** Never throws: a reader waits behind it. */
  #storeLocally(storing: Storing, before: number): SerializationError | undefined {
    const { kind, activity, operation, value, writtenAt, lifetime } = storing;
    if (operation.fenced) return undefined;
    if (operation.cleared) {
      // What was read from a remote tier since the clear may be older.
      kind.latest.removeLocally(activity.key);
      return undefined;
    }
    const now = this.#clock.now();
    let refused: SerializationError | undefined;
    for (const tier of kind.localTiers) {
      if (tier.index >= before) continue;
      const freshUntil = freshUntilIn(tier.ttl, tier.index === kind.tiers.length - 1, lifetime, now);
      try {
        tier.storage.write(kind.space, activity.key, { value, writtenAt, freshUntil }, now);
      } catch (error) {
        tier.storage.remove(kind.space, activity.key);
        refused = cannotBeStored(error, kind, activity.key);
      }
    }
    return refused;
  }

  /**
   * The value was given to readers and is not in all tiers, because something newer has overtaken it. While the newer one is on
   * its way, no tier may answer with a value that is older than both.
   */
  #giveOvertaken({
    kind,
    activity,
    operation: { birth },
  }: Pick<Storing, "kind" | "activity" | "operation">): void {
    if (!activity.operations.hasYoungerThan(birth)) return;
    // What is being read from a tier may be older, too.
    activity.operations.fenceOlderThan(birth);
    kind.latest.removeLocally(activity.key);
    for (const tier of kind.remoteTiers) activity.unsettle(tier);
    activity.operations.afterYounger(birth, () => {
      for (const tier of kind.remoteTiers) activity.settle(tier);
    });
  }

  #removeReplaced(kind: NodeKind, activity: KeyActivity, operation: Operation): void {
    if (operation.fenced) return;
    kind.latest.removeLocally(activity.key);
    for (const tier of kind.remoteTiers) this.#removeFrom(kind, activity, tier);
  }

  /** Removes an older value. Until that is done, and for as long as the tier cannot be reached, the tier is not read for the key. */
  #removeFrom(kind: NodeKind, activity: KeyActivity, tier: RemoteTier): void {
    activity.unsettle(tier);
    activity.remove(tier, {
      done: (error) => {
        activity.settle(tier);
        if (error === undefined) kind.trust(tier, activity.key);
        else kind.distrust(tier, activity.key, this.#clock.now());
      },
    });
  }
}
