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
import { OlderValues } from "./older-values.js";
import { RightToLeft, type Written } from "./right-to-left.js";

/** The packed value of a kind without remote tiers, which packs nothing. */
const nothingPacked: Packed = { codec: 0, payload: new Uint8Array(0), compression: undefined };

/** A tier that may or may not have the value now. */
export interface FailedTier {
  readonly storage: string;
  readonly error: Error;
}

/** A value that is being stored in the tiers of one key. */
interface Storing extends Written {
  readonly value: unknown;
  readonly writtenAt: number;
  readonly lifetime: Lifetime;
}

/**
 * Puts values into tiers: first the remote ones, from right to left, one after the other, then the
 * local ones. It stores no value that a newer operation has overtaken.
 */
export class Store {
  readonly #clock: Clock;
  readonly #notStored: NotStored;
  readonly #older: OlderValues;

  constructor(clock: Clock, events: Events) {
    this.#clock = clock;
    this.#notStored = new NotStored(events);
    this.#older = new OlderValues(clock);
  }

  /**
   * Fills the tiers to the left of the tier that holds an entry, for the entry's remaining time.
   */
  backFill(flight: Flight, entry: Cached, from: number): void {
    const { kind } = flight.runtime;
    if (from === 0 || kind.isReplaced) return;
    const { value, writtenAt, freshUntil } = entry;
    const lifetime = { limit: freshUntil, explicit: false };
    const { activity, rights } = flight;
    const storing = { kind, activity, operation: flight, rights, value, writtenAt, lifetime };
    this.#storeLocally(storing, from);
    const tiers = kind.remoteTiers.filter(({ index }) => index < from);
    if (tiers.length === 0 || kind.activities.isClosed) return;
    const packed = this.#packed(storing);
    // No reader waits for these writes, because the tier that has the value keeps answering with
    // it.
    if (!(packed instanceof SerializationError)) this.#writeBehind(storing, tiers, packed, false);
  }

  /**
   * Stores the value that a flight has loaded. If the tiers may hold an older value, and the new
   * one cannot be stored, the older one is removed. So no later reader gets it.
   *
   * @param done called when the readers may be answered
   */
  storeLoaded(flight: Flight, value: unknown, writtenAt: number, done: () => void): void {
    const { kind } = flight.runtime;
    const { activity, key, rights } = flight;
    // An older mutation under way leaves an older value, too.
    const replaces = flight.replaces || kind.remoteTiers.some((tier) => activity.mustWait(tier));
    if (flight.fenced || kind.activities.isClosed) {
      if (flight.fenced) this.#older.giveOvertaken({ kind, activity, operation: flight });
      done();
      return;
    }
    // The doorkeeper sees the key in any case.
    const isAdmitted = kind.doorkeeper === undefined || kind.doorkeeper.admits(key) || flight.refreshes;
    if (flight.skip || !isAdmitted || kind.isReplaced) {
      this.#giveRightsBack(flight, () => {
        if (replaces) this.#older.removeReplaced(kind, activity, flight);
        done();
      });
      return;
    }
    const storing = {
      kind,
      activity,
      operation: flight,
      rights,
      value,
      writtenAt,
      lifetime: lifetimeOf(flight.ttl, writtenAt),
    };
    const tiers = kind.remoteTiers;
    const storeLocally = () => {
      if (flight.fenced) this.#older.giveOvertaken(storing);
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
      this.#giveRightsBack(flight, () => {
        if (replaces && !flight.fenced)
          for (const tier of tiers) this.#older.removeFrom(kind, activity, tier);
        storeLocally();
      });
      return;
    }
    this.#writeRemotely(storing, tiers, packed, replaces, storeLocally);
  }

  /**
   * Stores a caller's value, and overtakes earlier operations.
   *
   * @throws SerializationError if a remote tier's serializer cannot carry the value; then nothing
   *   has changed
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
    const lifetime = lifetimeOf(ttl, writtenAt);
    const storing = { kind, activity, operation, rights: undefined, value, writtenAt, lifetime };
    const packed = kind.remoteTiers.length === 0 ? nothingPacked : this.#packed(storing);
    if (packed instanceof SerializationError) throw packed;
    activity.operations.overtake(operation);
    activity.operations.begin(operation);
    const failed: FailedTier[] = [];
    const storeLocally = () => {
      // A tier that was read meanwhile may have answered with the replaced value.
      if (operation.fenced) this.#older.giveOvertaken(storing);
      else activity.operations.overtake(operation);
      done(failed, this.#storeLocally(storing, kind.tiers.length));
    };
    this.#writeRightToLeft(storing, kind.remoteTiers, packed, true, failed, storeLocally);
  }

  /** Stores the value of a synchronous load, for a kind whose tiers are all local. */
  storeLocally(
    kind: NodeKind,
    activity: KeyActivity,
    operation: Operation,
    value: unknown,
    ttl: number | undefined,
  ): void {
    const writtenAt = this.#clock.now();
    if (!operation.fenced) activity.operations.overtake(operation);
    const lifetime = lifetimeOf(ttl, writtenAt);
    const storing = { kind, activity, operation, rights: undefined, value, writtenAt, lifetime };
    this.#storeLocally(storing, kind.tiers.length);
  }

  /**
   * Gives the flight's leases back, because no remote tier gets its value. If a lease was lost,
   * another process has removed the key or stored a newer value. Only readers that joined during
   * the load need to know that.
   */
  #giveRightsBack(flight: Flight, done: () => void): void {
    const { rights } = flight;
    if (rights?.isHolding !== true) {
      done();
      return;
    }
    rights.giveBack((wereOwn) => {
      if (!wereOwn) this.#older.lose(flight.runtime.kind, flight.activity, flight);
      done();
    });
  }

  /**
   * Calls `done` when the tiers have answered, or at once if another mutation of the key is under
   * way.
   */
  #writeRemotely(
    storing: Storing,
    tiers: readonly RemoteTier[],
    packed: Packed,
    replaces: boolean,
    done: () => void,
  ): void {
    const { activity, rights } = storing;
    const waits = (tier: RemoteTier) =>
      activity.mustWait(tier) && (rights === undefined || !tier.storage.leases.isSupported);
    if (!tiers.some(waits)) {
      this.#writeRightToLeft(storing, tiers, packed, replaces, [], done);
      return;
    }
    // A reader does not wait for another caller's mutation. Until the value is stored, the tiers
    // may answer with an older one.
    this.#writeBehind(storing, tiers, packed, true);
    done();
  }

  /** Writes after the readers were answered. */
  #writeBehind(storing: Storing, tiers: readonly RemoteTier[], packed: Packed, replaces: boolean): void {
    const { activity } = storing;
    const afterwards = new Operation(storing.operation.birth);
    afterwards.mustReplace = replaces;
    activity.operations.begin(afterwards);
    if (replaces) for (const tier of tiers) activity.unsettle(tier);
    const written = { ...storing, operation: afterwards };
    this.#writeRightToLeft(written, tiers, packed, replaces, [], () => {
      // The readers know the value. Whatever overtook it has perhaps not reached each tier yet.
      if (replaces && afterwards.fenced) this.#older.giveOvertaken(written);
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
        if (replaces && !operation.fenced) this.#older.removeFrom(kind, activity, tier);
      },
      lost: (lost, isOvertaken) => {
        const { kind, activity, operation } = storing;
        if (replaces && !operation.fenced)
          for (const tier of lost) this.#older.removeFrom(kind, activity, tier);
        if (isOvertaken) this.#older.lose(kind, activity, operation);
      },
      done,
    }).begin();
  }

  /** Makes the record when the request leaves, in the storage's time. */
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

  /** Returns the value as bytes, made once for all remote tiers. */
  #packed({ kind, activity, value }: Storing): Packed | SerializationError {
    try {
      return pack(kind.meta.serializer, value, { node: kind.name, key: activity.key });
    } catch (error) {
      return cannotBeStored(error, kind, activity.key);
    }
  }

  /** Stores in the local tiers. Never throws, because a reader waits behind it. */
  #storeLocally(storing: Storing, before: number): SerializationError | undefined {
    const { kind, activity, operation, value, writtenAt, lifetime } = storing;
    if (operation.fenced || kind.bypassesLocalTiers) return undefined;
    if (operation.cleared) {
      // A value that was read from a remote tier since the clear may be older.
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
}
