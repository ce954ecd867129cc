import type { Clock } from "../clock.js";
import { encodeEntry } from "../entry/entry-codec.js";
import { reasonOf, SerializationError } from "../errors.js";
import type { Events } from "../events.js";
import { nodeLabel } from "../node/key.js";
import type { RemoteTier, Tier } from "../plan/node-kind.js";
import type { Operation } from "../plan/operation.js";
import type { Plan } from "../plan/plan.js";

/** A value on its way into the tiers of its class. */
export interface Fill {
  readonly plan: Plan;
  readonly key: string;
  /** What stores the value. Once it is fenced, no further tier takes the value. */
  readonly operation: Operation;
  readonly value: unknown;
  readonly writtenAt: number;
  /** Only the tiers to the left of this place are filled: all of them for a new value, those before its own for a found one. */
  readonly before: number;
  /** No tier keeps the value for longer: what is left of a found entry's time, or what the load or the caller asked for. */
  readonly limit: number;
  /** Whether the last tier keeps the value just until `limit`, be its own ttl shorter: the load or the caller said so. */
  readonly explicit: boolean;
  /** Whether the value is newer than what any other running operation of the key can have: a `set` or a refresh. */
  readonly overtakes: boolean;
}

/** How a fill ended. */
export interface FillOutcome {
  /** The remote tiers of which it is not known whether they have the value now. */
  readonly failed: readonly { readonly storage: string; readonly error: Error }[];
  /** Why tiers were not given the value: a remote one's serializer, or a local one that clones, could not carry it. */
  readonly refused: SerializationError | undefined;
}

const filled: FillOutcome = { failed: [], refused: undefined };

/** Puts values into tiers: the remote ones first, then the local ones unless the operation was fenced meanwhile. */
export class Filler {
  readonly #clock: Clock;
  readonly #events: Events;
  /** The classes that a process warning was given for, so that it is given once. */
  readonly #warned = new Set<string>();

  constructor(clock: Clock, events: Events) {
    this.#clock = clock;
    this.#events = events;
  }

  /**
   * Calls `done` when every tier has been seen to: at once where no tier is remote. Where the serializer refuses the value, no
   * tier is touched.
   */
  fill(fill: Fill, done: (outcome: FillOutcome) => void): void {
    const tiers = fill.operation.fenced
      ? []
      : fill.plan.remoteTiers.filter((tier) => tier.index < fill.before);
    if (tiers.length === 0) {
      done(outcomeOf([], this.#fillLocalTiers(fill)));
      return;
    }
    let records: Uint8Array[];
    try {
      records = tiers.map((tier) => this.#encode(fill, tier));
    } catch (error) {
      done({ failed: [], refused: asSerializationError(error, fill) });
      return;
    }
    const mutation = new Promise((settle) => {
      const write = () =>
        this.#write(fill, tiers, records, (failed) => {
          const refused = this.#fillLocalTiers(fill);
          settle(undefined);
          done(outcomeOf(failed, refused));
        });
      const others = fill.plan.operations.mutations(fill.key, fill.operation);
      if (others === undefined) write();
      else void others.then(write);
    });
    fill.operation.mutates(mutation);
  }

  /**
   * Gives the local tiers a loaded value that another tier could not be given, and tells of it: nobody is told by a
   * rejection, since the reader gets the value in any case.
   */
  fillLocally(fill: Fill, error: SerializationError): void {
    const { plan, key } = fill;
    this.#fillLocalTiers(fill);
    if (this.#events.listeners.notStored !== null) {
      this.#events.emit("notStored", { node: plan.name, key, error });
    } else if (!this.#warned.has(plan.name)) {
      this.#warned.add(plan.name);
      process.emitWarning(error.message, { type: "CachemeWarning", code: error.code });
    }
  }

  #encode(fill: Fill, tier: RemoteTier): Uint8Array {
    const { plan, key, value, writtenAt } = fill;
    const about = { node: plan.name, key };
    const freshUntil = freshUntilIn(tier, fill, this.#clock.now());
    const { meta, fingerprint } = plan;
    const cached = { value, writtenAt, freshUntil };
    return encodeEntry(meta.serializer, fingerprint, plan.storageKey(key), cached, about);
  }

  #write(
    fill: Fill,
    tiers: readonly RemoteTier[],
    records: readonly Uint8Array[],
    done: (failed: FillOutcome["failed"]) => void,
  ): void {
    const { plan, operation } = fill;
    const key = plan.storageKey(fill.key);
    const failed: { storage: string; error: Error }[] = [];
    let waiting = tiers.length;
    for (const [index, tier] of tiers.entries()) {
      tier.storage.write({
        record: () => {
          const bytes = records[index];
          if (operation.fenced || bytes === undefined) return undefined;
          const now = this.#clock.now();
          const left = freshUntilIn(tier, fill, now) - now;
          if (left === Number.POSITIVE_INFINITY) return { key, bytes, ttl: undefined };
          // What is over before it is written is written all the same, or an older value would stay.
          return { key, bytes, ttl: Math.max(1, Math.ceil(left)) };
        },
        done: (error) => {
          if (error !== undefined) failed.push({ storage: tier.name, error });
          waiting -= 1;
          if (waiting === 0) done(failed);
        },
      });
    }
  }

  /** Fences what the value overtakes, and gives it to the local tiers. Never throws: a reader waits behind it. */
  #fillLocalTiers(fill: Fill): SerializationError | undefined {
    const { plan, key, operation, value, writtenAt } = fill;
    if (operation.fenced) return undefined;
    if (fill.overtakes) plan.operations.fence(key, operation);
    const now = this.#clock.now();
    let refused: SerializationError | undefined;
    for (const tier of plan.localTiers) {
      if (tier.index >= fill.before) continue;
      try {
        tier.storage.write(
          plan.space,
          key,
          { value, writtenAt, freshUntil: freshUntilIn(tier, fill, now) },
          now,
        );
      } catch (error) {
        tier.storage.remove(plan.space, key);
        refused = asSerializationError(error, fill);
      }
    }
    return refused;
  }
}

function outcomeOf(failed: FillOutcome["failed"], refused: SerializationError | undefined): FillOutcome {
  return failed.length === 0 && refused === undefined ? filled : { failed, refused };
}

function freshUntilIn(tier: Tier, fill: Fill, now: number): number {
  const isLast = tier.index === fill.plan.tiers.length - 1;
  return fill.explicit && isLast ? fill.limit : Math.min(fill.limit, now + tier.ttl);
}

function asSerializationError(thrown: unknown, { plan, key }: Fill): SerializationError {
  const path = thrown instanceof SerializationError ? thrown.path : "$";
  return new SerializationError(
    `The value of ${nodeLabel(plan.name, key)} cannot be stored. ${reasonOf(thrown)}`,
    path,
    { node: plan.name, key, cause: thrown },
  );
}
