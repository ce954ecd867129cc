import { encodeEntry, type Packed, pack } from "../entry/entry-codec.js";
import { freshUntilIn, type Lifetime } from "../entry/lifetime.js";
import type { SerializationError } from "../errors.js";
import type { FillRights } from "../runtime/fill-rights.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { NodeKind, RemoteTier } from "../runtime/node-kind.js";
import type { Operation } from "../runtime/operation.js";
import type { HeldGeneration } from "../storage/local-storage.js";
import type { StoredRecord } from "../storage/remote-storage.js";
import type { OperationTags } from "../tags/operation-tags.js";
import { cannotBeStored } from "./cannot-be-stored.js";
import type { Recheck } from "./recheck.js";
import type { Written } from "./right-to-left.js";

/**
 * A value that is being stored in the tiers of one key. It is a class, because copies of objects by
 * `...` made a miss three times as slow.
 */
export class Storing implements Written {
  readonly kind: NodeKind;
  readonly activity: KeyActivity;
  readonly operation: Operation;
  readonly value: unknown;
  readonly writtenAt: number;
  readonly lifetime: Lifetime;
  readonly rights: FillRights | undefined;
  /** The tags, with the generations that the value is stored under; `undefined` without tags. */
  tagged: OperationTags | undefined;
  /** The generations of an entry that a tier holds already. */
  generations: readonly HeldGeneration[] | undefined;
  /** Reads the generations again when a record is sent. */
  recheck: Recheck | undefined;

  /** @param rights the rights by which a flight fills; `undefined` for other operations */
  constructor(
    kind: NodeKind,
    activity: KeyActivity,
    operation: Operation,
    value: unknown,
    writtenAt: number,
    lifetime: Lifetime,
    rights: FillRights | undefined,
  ) {
    this.kind = kind;
    this.activity = activity;
    this.operation = operation;
    this.value = value;
    this.writtenAt = writtenAt;
    this.lifetime = lifetime;
    this.rights = rights;
    this.tagged = operation.tagged;
    this.generations = undefined;
    this.recheck = undefined;
  }

  /** Returns the same for another operation, which writes after the readers were answered. */
  by(operation: Operation): Storing {
    const { kind, activity, value, writtenAt, lifetime, rights } = this;
    const storing = new Storing(kind, activity, operation, value, writtenAt, lifetime, rights);
    storing.tagged = this.tagged;
    storing.recheck = this.recheck;
    return storing;
  }
}

/** Returns the value as bytes, made once for all remote tiers. */
export function packed({ kind, activity, value }: Storing): Packed | SerializationError {
  try {
    return pack(kind.meta.serializer, value, { node: kind.name, key: activity.key });
  } catch (error) {
    return cannotBeStored(error, kind, activity.key);
  }
}

/**
 * Makes a tier's record when its request leaves, in the storage's time. Returns `undefined` if the
 * value must not be stored: the storage has taken the name of the one that told the generations.
 */
export function recordFor(
  storing: Storing,
  tier: RemoteTier,
  bytes: Packed,
  now: number,
): StoredRecord | undefined {
  const { activity, kind, lifetime, writtenAt, tagged, recheck } = storing;
  const { storage } = tier.destination;
  const section = tagged?.section(storage);
  if (tagged !== undefined && section === undefined) return undefined;
  recheck?.start(storage);
  const key = activity.storageKey;
  const { offset } = storage.clock;
  const freshUntil = freshUntilIn(tier.ttl, tier.index === kind.tiers.length - 1, lifetime, now);
  const times = { writtenAt: writtenAt + offset, freshUntil: freshUntil + offset };
  const entry = encodeEntry(bytes, kind.fingerprint, key, times, section);
  if (freshUntil === Number.POSITIVE_INFINITY) return { key, bytes: entry, ttl: undefined };
  // Writes the value even if it has already expired; otherwise an older value would remain.
  return { key, bytes: entry, ttl: Math.max(1, Math.ceil(freshUntil - now)) };
}

/**
 * Returns the tiers that may store the value, because the generations of its tags are known there.
 * A tier on the left of another one would be refilled from that with an older value.
 */
export function storableIn(
  tiers: readonly RemoteTier[],
  tagged: OperationTags | undefined,
): readonly RemoteTier[] {
  if (tagged === undefined) return tiers;
  const last = tiers.findLastIndex(({ storage }) => tagged.in(storage) === undefined);
  return tiers.slice(last + 1);
}

/** Returns the generations that a local entry holds; `undefined` if a tagged value must not be stored. */
export function heldBy(
  { kind, tagged, generations }: Storing,
  freshUntil: number,
): readonly HeldGeneration[] | undefined {
  if (tagged === undefined) return generations;
  const storages = kind.remoteTiers.map(({ storage }) => storage);
  return tagged.held(storages, freshUntil);
}
