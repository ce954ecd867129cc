import type { Clock } from "../clock.js";
import type { Packed } from "../entry/entry-codec.js";
import { freshUntilIn, lifetimeOf } from "../entry/lifetime.js";
import { SerializationError } from "../errors.js";
import type { Events } from "../events.js";
import { captureOwn } from "../runtime/capture-tags.js";
import type { Flight } from "../runtime/flight.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { NodeKind, RemoteTier } from "../runtime/node-kind.js";
import { Operation } from "../runtime/operation.js";
import type { LocalRecord } from "../storage/local-storage.js";
import type { TagTable } from "../tags/tag-table.js";
import { cannotBeStored } from "./cannot-be-stored.js";
import { NotStored } from "./not-stored.js";
import { OlderValues } from "./older-values.js";
import { Recheck } from "./recheck.js";
import { RightToLeft } from "./right-to-left.js";
import { heldBy, packed, recordFor, Storing, storableIn } from "./storing.js";

/** The packed value of a kind without remote tiers, which packs nothing. */
const nothingPacked: Packed = { codec: 0, payload: new Uint8Array(0), compression: undefined };

/** A tier that may or may not have the value now. */
export interface FailedTier {
  readonly storage: string;
  readonly error: Error;
  /** Settles when the tier has no removed or replaced value any more. Default: unknown. */
  readonly settled?: Promise<unknown> | undefined;
}

/**
 * Puts values into tiers: first the remote ones, from right to left, one after the other, then the
 * local ones. It stores no value that a newer operation has overtaken.
 */
export class Store {
  readonly #clock: Clock;
  readonly notStored: NotStored;
  readonly #older: OlderValues;
  /** The tags of the space. */
  readonly tags: TagTable;

  constructor(clock: Clock, events: Events, tags: TagTable) {
    this.#clock = clock;
    this.tags = tags;
    this.notStored = new NotStored(events);
    this.#older = new OlderValues(clock);
  }

  /**
   * Fills the tiers to the left of the tier that holds an entry, for the entry's remaining time.
   */
  backFill(flight: Flight, entry: LocalRecord, from: number): void {
    const { kind } = flight.runtime;
    if (from === 0 || kind.isReplaced) return;
    const { value, writtenAt, freshUntil, generations } = entry;
    const lifetime = { limit: freshUntil, explicit: false };
    const { activity, rights, tagged } = flight;
    const storing = new Storing(kind, activity, flight, value, writtenAt, lifetime, rights);
    storing.tagged = undefined;
    storing.generations = generations;
    this.#storeLocally(storing, from);
    // A tag that only the value tells has no generation that is older than this read.
    if (generations !== undefined && generations.length !== (tagged?.own.length ?? 0)) return;
    const tiers = storableIn(
      kind.remoteTiers.filter(({ index }) => index < from),
      tagged,
    );
    if (tiers.length === 0 || kind.activities.isClosed) return;
    storing.tagged = tagged;
    const bytes = packed(storing);
    // No reader waits for these writes, because the tier that has the value keeps answering with
    // it.
    if (!(bytes instanceof SerializationError)) this.#writeBehind(storing, tiers, bytes, false);
  }

  /**
   * Stores the value that a flight has loaded. If the tiers may hold an older value, and the new
   * one cannot be stored, the older one is removed. So no later reader gets it.
   *
   * @param answer called when the readers may be answered
   */
  storeLoaded(flight: Flight, value: unknown, writtenAt: number, answer: () => void): void {
    const { kind } = flight.runtime;
    const { activity, key, rights, tagged } = flight;
    const recheck = tagged && new Recheck(tagged);
    const done = recheck === undefined ? answer : () => this.#checkTags(flight, recheck, answer);
    // An older mutation under way leaves an older value, too.
    const replaces = flight.replaces || kind.remoteTiers.some((tier) => activity.mustWait(tier));
    if (flight.fenced || kind.activities.isClosed) {
      if (flight.fenced) this.#older.giveOvertaken({ kind, activity, operation: flight });
      answer();
      return;
    }
    // The doorkeeper sees the key in any case.
    const isAdmitted = kind.doorkeeper === undefined || kind.doorkeeper.admits(key) || flight.refreshes;
    if (tagged?.refusal !== undefined) this.notStored.report(kind, key, tagged.refusal);
    if (flight.skip || !isAdmitted || kind.isReplaced || tagged?.refusal !== undefined) {
      const removes = () => (replaces ? this.#older.removeReplaced(kind, activity, flight) : undefined);
      this.#giveRightsBack(flight, removes, done);
      return;
    }
    const lifetime = lifetimeOf(flight.ttl, writtenAt);
    const storing = new Storing(kind, activity, flight, value, writtenAt, lifetime, rights);
    storing.recheck = recheck;
    const store = () => {
      if (flight.fenced) this.#older.giveOvertaken(storing);
      const refused = this.#storeLocally(storing, kind.tiers.length);
      if (refused !== undefined) this.notStored.report(kind, key, refused);
      answer();
    };
    const storeLocally = recheck === undefined ? store : () => this.#checkTags(flight, recheck, store);
    if (kind.remoteTiers.length === 0) {
      storeLocally();
      return;
    }
    const tiers = storableIn(kind.remoteTiers, tagged);
    const remove = (removed: readonly RemoteTier[]) => {
      if (replaces && !flight.fenced)
        for (const tier of removed) this.#older.removeFrom(kind, activity, tier);
    };
    const bytes = packed(storing);
    if (bytes instanceof SerializationError || tiers.length === 0) {
      if (bytes instanceof SerializationError) this.notStored.report(kind, key, bytes);
      this.#giveRightsBack(flight, () => remove(kind.remoteTiers), storeLocally);
      return;
    }
    remove(kind.remoteTiers.slice(0, -tiers.length));
    this.#writeRemotely(storing, tiers, bytes, replaces, storeLocally);
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
    const { tagged } = operation;
    const storing = new Storing(kind, activity, operation, value, writtenAt, lifetime, undefined);
    const bytes = kind.remoteTiers.length === 0 ? nothingPacked : packed(storing);
    if (bytes instanceof SerializationError) throw bytes;
    activity.operations.overtake(operation);
    activity.operations.begin(operation);
    const failed: FailedTier[] = [];
    const storeLocally = () => {
      // A tier that was read meanwhile may have answered with the replaced value.
      if (operation.fenced) this.#older.giveOvertaken(storing);
      else activity.operations.overtake(operation);
      done(failed, this.#storeLocally(storing, kind.tiers.length));
    };
    if (tagged === undefined) {
      this.#writeRightToLeft(storing, kind.remoteTiers, bytes, true, failed, storeLocally);
      return;
    }
    captureOwn({ kind, tagged, tiers: kind.remoteTiers, clock: this.#clock }, (uncaptured) => {
      for (const { tier, error } of uncaptured) failed.push({ storage: tier.name, error });
      // A tag that was invalidated after the call may already have its new generation.
      if (this.tags.isOvertaken(tagged.own, operation.birth)) operation.fenced = true;
      const tiers = storableIn(kind.remoteTiers, tagged);
      if (!operation.fenced)
        for (const tier of kind.remoteTiers)
          if (!tiers.includes(tier)) this.#older.removeFrom(kind, activity, tier);
      this.#writeRightToLeft(storing, tiers, bytes, true, failed, storeLocally);
    });
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
    const storing = new Storing(kind, activity, operation, value, writtenAt, lifetime, undefined);
    this.#storeLocally(storing, kind.tiers.length);
  }

  /**
   * Continues when each storage has told the generations of the flight's tags again. If one has
   * changed, or an invalidation came in this process, the flight counts as overtaken.
   */
  #checkTags(flight: Flight, recheck: Recheck, then: () => void): void {
    const { tagged, runtime, activity } = flight;
    const storages = runtime.remoteTiers.map(({ storage }) => storage);
    recheck.end(storages, (hasChanged) => {
      const isOvertaken = tagged !== undefined && this.tags.isOvertaken(tagged.all, flight.birth);
      if (hasChanged || isOvertaken) this.#older.lose(runtime.kind, activity, flight);
      then();
    });
  }

  /**
   * Gives the flight's leases back, because no remote tier gets its value. If a lease was lost,
   * another process has removed the key or stored a newer value. Only readers that joined during
   * the load need to know that.
   *
   * @param remove removes what the value replaces, also if a lease was lost
   */
  #giveRightsBack(flight: Flight, remove: () => void, done: () => void): void {
    const { rights } = flight;
    if (rights?.isHolding !== true) {
      remove();
      done();
      return;
    }
    rights.giveBack((wereOwn) => {
      remove();
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
    const written = storing.by(afterwards);
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
      record: (tier) => recordFor(storing, tier, packed, this.#clock.now()),
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

  /** Stores in the local tiers. Never throws, because a reader waits behind it. */
  #storeLocally(storing: Storing, before: number): SerializationError | undefined {
    const { kind, activity, operation, value, writtenAt, lifetime, tagged } = storing;
    if (operation.fenced || kind.bypassesLocalTiers) return undefined;
    if (tagged !== undefined && this.tags.isOvertaken(tagged.all, operation.birth)) {
      kind.latest.removeLocally(activity.key);
      return undefined;
    }
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
      const generations = heldBy(storing, freshUntil);
      if (generations === undefined && tagged !== undefined) {
        tier.storage.remove(kind.space, activity.key);
        continue;
      }
      try {
        tier.storage.write(kind.space, activity.key, { value, writtenAt, freshUntil, generations }, now);
      } catch (error) {
        tier.storage.remove(kind.space, activity.key);
        refused = cannotBeStored(error, kind, activity.key);
      }
    }
    return refused;
  }
}
