import type { Clock } from "../clock.js";
import type { Packed } from "../entry/entry-codec.js";
import type { Lifetime } from "../entry/lifetime.js";
import { SerializationError } from "../errors.js";
import type { Events } from "../events.js";
import { captureOwn } from "../runtime/capture-tags.js";
import { keptData } from "../runtime/conditional-load.js";
import type { FillRights } from "../runtime/fill-rights.js";
import type { Flight } from "../runtime/flight.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { NodeKind, RemoteTier } from "../runtime/node-kind.js";
import type { Operation } from "../runtime/operation.js";
import type { LocalRecord } from "../storage/local-storage.js";
import type { TagTable } from "../tags/tag-table.js";
import type { FailedTier } from "./failed-tier.js";
import { NotStored } from "./not-stored.js";
import { holdsStale, OlderValues } from "./older-values.js";
import { Recheck } from "./recheck.js";
import { Retaining } from "./retaining.js";
import { storableIn } from "./storable-tiers.js";
import { Storing, type StoringEnvironment } from "./storing.js";

/** The packed value of a kind without remote tiers, which packs nothing. */
const nothingPacked: Packed = { codec: 0, payload: new Uint8Array(0), compression: undefined };

/** Answers a flight's readers with its loaded value. */
export type AnswerLoaded = (flight: Flight, value: unknown, writtenAt: number) => void;

/**
 * Puts values into tiers: first the remote ones, from right to left, one after the other, then the
 * local ones. It stores no value that a newer operation has overtaken.
 */
export class Store {
  readonly #clock: Clock;
  readonly notStored: NotStored;
  readonly #older: OlderValues;
  /** The parts of a space that all its values share while they are stored. */
  readonly environment: StoringEnvironment;
  /** Decides which values are stored, and how long they are kept. */
  readonly retaining: Retaining;
  /** The tags of the space. */
  readonly tags: TagTable;

  constructor(events: Events, environment: Omit<StoringEnvironment, "older">) {
    this.#clock = environment.clock;
    this.tags = environment.tags;
    this.notStored = new NotStored(events);
    this.retaining = new Retaining(this.notStored, environment.random);
    this.#older = new OlderValues(environment.clock);
    this.environment = { ...environment, older: this.#older };
  }

  /**
   * Fills the tiers to the left of the tier that holds an entry, for the entry's remaining time. Only
   * the local ones get a stale entry, because it is about to be replaced.
   */
  backFill(flight: Flight, entry: LocalRecord, from: number, isStale: boolean): void {
    const { kind } = flight.runtime;
    if (from === 0 || kind.isReplaced) return;
    const { value, writtenAt, freshUntil, generations } = entry;
    const lifetime = { limit: freshUntil, explicit: false };
    const { activity, rights, tagged } = flight;
    const storing = this.#storing(kind, activity, flight, rights, value, writtenAt, lifetime);
    storing.generations = generations;
    storing.kept = keptData(entry.kept);
    storing.storeLocally(from);
    if (isStale || storing.isFailure) return;
    // A tag that only the value tells has no generation that is older than this read.
    if (generations !== undefined && generations.length !== (tagged?.own.length ?? 0)) return;
    const tiers = storableIn(
      kind.remoteTiers.filter(({ index }) => index < from),
      tagged,
    );
    if (tiers.length === 0 || kind.activities.isClosed) return;
    storing.tagged = tagged;
    const bytes = storing.packed();
    // No reader waits for these writes, because the tier that has the value keeps answering with
    // it.
    if (!(bytes instanceof SerializationError)) storing.writeBehind(tiers, bytes, false);
  }

  /**
   * Stores the value that a flight has loaded. If the tiers may hold an older value, and the new
   * one cannot be stored, the older one is removed. So no later reader gets it.
   *
   * @param answer called when the readers may be answered
   */
  storeLoaded(flight: Flight, value: unknown, writtenAt: number, answer: AnswerLoaded): void {
    const { kind } = flight.runtime;
    const { activity, key, rights, tagged } = flight;
    if (flight.fenced || kind.activities.isClosed) {
      if (flight.fenced) this.#giveOvertaken(flight);
      answer(flight, value, writtenAt);
      return;
    }
    // The doorkeeper sees the key in any case.
    const isAdmitted = kind.doorkeeper === undefined || kind.doorkeeper.admits(key) || flight.refreshes;
    if (tagged?.refusal !== undefined) this.notStored.report(kind, key, tagged.refusal);
    const isWanted = this.retaining.decide(kind, flight, value);
    const lifetime = this.retaining.lifetimeOf(kind, flight.ttl, writtenAt);
    const storing = this.#storing(kind, activity, flight, rights, value, writtenAt, lifetime);
    if (tagged !== undefined) {
      storing.tagged = tagged;
      storing.recheck = new Recheck(tagged);
    }
    if (!isWanted || !isAdmitted || kind.isReplaced || tagged?.refusal !== undefined)
      this.#skipLoaded(storing, flight, answer);
    else if (kind.remoteTiers.length === 0) this.#storeLoadedLocally(storing, flight, answer);
    else this.#storeLoadedRemotely(storing, flight, answer);
  }

  /** Answers without storing the value. */
  #skipLoaded(storing: Storing, flight: Flight, answer: AnswerLoaded): void {
    const { kind, activity, value, writtenAt, recheck } = storing;
    // A stale value that stayed would be returned, and loaded again, until its window ends.
    const replaces = (flight.revalidates && !kind.isReplaced) || this.#replaces(flight) || holdsStale(flight);
    const remove = () => (replaces ? this.#older.removeReplaced(kind, activity, flight) : undefined);
    this.#giveRightsBack(flight, remove, () =>
      this.#checkTags(flight, recheck, () => answer(flight, value, writtenAt)),
    );
  }

  #storeLoadedRemotely(storing: Storing, flight: Flight, answer: AnswerLoaded): void {
    const { kind, activity } = storing;
    const tiers = storing.storableTiers();
    const replaces = this.#replaces(flight);
    const bytes = storing.packed();
    if (bytes instanceof SerializationError || tiers.length === 0) {
      if (bytes instanceof SerializationError) this.notStored.report(kind, activity.key, bytes);
      this.#refuseLoaded(storing, flight, replaces || holdsStale(flight), answer);
      return;
    }
    if (replaces && tiers.length < kind.remoteTiers.length)
      this.#removeFrom(storing, kind.remoteTiers.slice(0, -tiers.length));
    this.#writeRemotely(storing, tiers, bytes, replaces, () =>
      this.#storeLoadedLocally(storing, flight, answer),
    );
  }

  /** Handles a value that no remote tier takes. */
  #refuseLoaded(storing: Storing, flight: Flight, replaces: boolean, answer: AnswerLoaded): void {
    const remove = () => (replaces ? this.#removeFrom(storing, storing.kind.remoteTiers) : undefined);
    this.#giveRightsBack(flight, remove, () => this.#storeLoadedLocally(storing, flight, answer));
  }

  #removeFrom({ kind, activity, operation }: Storing, tiers: readonly RemoteTier[]): void {
    if (!operation.fenced) this.#older.removeFromAll(kind, activity, tiers);
  }

  #storeLoadedLocally(storing: Storing, flight: Flight, answer: AnswerLoaded): void {
    if (storing.recheck === undefined) this.#endLoaded(storing, flight, answer);
    else this.#checkTags(flight, storing.recheck, () => this.#endLoaded(storing, flight, answer));
  }

  #endLoaded(storing: Storing, flight: Flight, answer: AnswerLoaded): void {
    const { kind, activity, value, writtenAt } = storing;
    if (flight.fenced) this.#giveOvertaken(flight);
    const refused = storing.storeLocally(kind.tiers.length);
    if (refused !== undefined) this.notStored.report(kind, activity.key, refused);
    answer(flight, value, writtenAt);
  }

  #giveOvertaken(flight: Flight): void {
    const { kind } = flight.runtime;
    const { activity } = flight;
    this.#older.giveOvertaken({ kind, activity, operation: flight });
    if (flight.missed && this.#replaces(flight))
      this.#older.removeMissed({ kind, activity, operation: flight });
  }

  /** Whether a tier may hold an older value. An older mutation under way leaves one, too. */
  #replaces(flight: Flight): boolean {
    return flight.replaces || flight.activity.mustWaitForOne(flight.runtime.kind.remoteTiers);
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
    const lifetime = this.retaining.lifetimeOf(kind, ttl, writtenAt);
    const { tagged } = operation;
    const storing = this.#storing(kind, activity, operation, undefined, value, writtenAt, lifetime);
    storing.tagged = tagged;
    const bytes = kind.remoteTiers.length === 0 ? nothingPacked : storing.packed();
    if (bytes instanceof SerializationError) throw bytes;
    activity.operations.overtake(operation);
    activity.operations.begin(operation);
    const failed: FailedTier[] = [];
    storing.failures = failed;
    const storeLocally = () => {
      // A tier that was read meanwhile may have answered with the replaced value.
      if (operation.fenced) this.#older.giveOvertaken(storing);
      else activity.operations.overtake(operation);
      const refused = storing.storeLocally(kind.tiers.length);
      if (!operation.missed) {
        done(failed, refused);
        return;
      }
      this.#older.removeMissed(storing, (unreached) => done([...failed, ...unreached], refused));
    };
    if (tagged === undefined) {
      storing.write(kind.remoteTiers, bytes, true, storeLocally);
      return;
    }
    captureOwn({ kind, tagged, tiers: kind.remoteTiers, clock: this.#clock }, (uncaptured) => {
      // A tag that was invalidated after the call may already have its new generation.
      // News of it may be older than the value that a tier holds now.
      if (this.tags.isOvertaken(tagged.own, operation.birth)) {
        operation.fenced = true;
        operation.missed = true;
      }
      const tiers = storableIn(kind.remoteTiers, tagged);
      const removals = new Map<RemoteTier, Promise<unknown>>();
      for (const tier of operation.fenced ? [] : kind.remoteTiers)
        if (!tiers.includes(tier)) removals.set(tier, this.#older.removal(kind, activity, tier));
      for (const { tier, error } of uncaptured)
        failed.push({ storage: tier.name, error, settled: removals.get(tier) });
      storing.write(tiers, bytes, true, storeLocally);
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
    const lifetime = this.retaining.lifetimeOf(kind, ttl, writtenAt);
    const { tagged } = operation;
    const storing = this.#storing(kind, activity, operation, undefined, value, writtenAt, lifetime);
    storing.tagged = tagged;
    if (!operation.fenced && !storing.isFailure) activity.operations.overtake(operation);
    storing.storeLocally(kind.tiers.length);
  }

  /**
   * Continues when each storage has told the generations of the flight's tags again. If one has
   * changed, or an invalidation came in this process, the flight counts as overtaken.
   */
  #checkTags(flight: Flight, recheck: Recheck | undefined, then: () => void): void {
    if (recheck === undefined) {
      then();
      return;
    }
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
    const waits =
      activity.mustWaitForOne(tiers) &&
      tiers.some(
        (tier) => activity.mustWait(tier) && (rights === undefined || !tier.storage.leases.isSupported),
      );
    if (!waits) {
      storing.readersWait = true;
      storing.write(tiers, packed, replaces, done);
      return;
    }
    // A reader does not wait for another caller's mutation. Until the value is stored, the tiers
    // may answer with an older one.
    storing.writeBehind(tiers, packed, true);
    done();
  }

  #storing(
    kind: NodeKind,
    activity: KeyActivity,
    operation: Operation,
    rights: FillRights | undefined,
    value: unknown,
    writtenAt: number,
    lifetime: Lifetime,
  ): Storing {
    return new Storing(this.environment, kind, activity, operation, rights, value, writtenAt, lifetime);
  }
}
