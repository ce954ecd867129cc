import type { Clock } from "../clock.js";
import { retimed } from "../entry/envelope.js";
import { keptUntilOf, type StaleWindows } from "../entry/lifetime.js";
import { Flight } from "../runtime/flight.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { NodeKind, RemoteTier } from "../runtime/node-kind.js";
import type { Operation } from "../runtime/operation.js";
import type { StoredRecord } from "../storage/remote-storage.js";

/** The key whose entries expire, and the operation that makes them. */
export interface Expiring {
  readonly kind: NodeKind;
  readonly activity: KeyActivity;
  readonly operation: Operation;
  readonly clock: Clock;
  readonly windows: StaleWindows;
}

/**
 * Returns whether the entries of a key can be kept as stale. While another value is being stored,
 * removed or replaced, or if that has failed, an entry may be older than one that a caller got. So it
 * must go.
 */
export function mayExpire(
  { remoteTiers }: NodeKind,
  key: string,
  activity: KeyActivity | undefined,
): boolean {
  if (remoteTiers.some(({ destination }) => destination.distrusts(key))) return false;
  if (activity === undefined) return true;
  if (activity.isMutating) return false;
  return activity.operations.every(
    (operation) => operation instanceof Flight && operation.state !== "filling" && !operation.replaces,
  );
}

/** Makes the local tiers' entries of the key stale now. */
export function expireLocally(kind: NodeKind, key: string, now: number): void {
  const { localTiers, space } = kind;
  kind.removeErrors(key);
  for (const { storage } of localTiers) {
    const entry = storage.peek(space, key);
    if (entry === undefined) continue;
    const { value, writtenAt, generations, idleUntil, kept } = entry;
    const freshUntil = Math.min(entry.freshUntil, now);
    const keptUntil = keptUntilOf(freshUntil, kind.meta.heldFor, idleUntil);
    storage.remove(space, key);
    try {
      storage.write(
        space,
        key,
        { value, writtenAt, freshUntil, generations, keptUntil, idleUntil, kept },
        now,
      );
    } catch {
      storage.remove(space, key); // It cannot be copied any more.
    }
  }
}

/**
 * Makes a remote tier's entry stale now. It is read and written back under the key's lease, which is
 * taken from any holder. So whatever changes the key meanwhile wins, and a load that began before
 * stores nothing.
 *
 * @param done called with the error if it is unknown whether the entry is stale
 */
export function expireIn(
  tier: RemoteTier,
  expiring: Expiring,
  done: (error: Error | undefined) => void,
): void {
  const { kind, activity } = expiring;
  const { storage } = tier;
  const { storageKey } = activity;
  const { lease } = kind.meta;
  if (lease === undefined || !storage.leases.isSupported) {
    rewrite(tier, expiring, undefined, done);
    return;
  }
  storage.leases.acquire({
    storageKey,
    duration: lease,
    steal: true,
    seen: undefined,
    acquired: (answer, trouble) => {
      if (answer?.outcome === "granted") rewrite(tier, expiring, answer.token, done);
      else done(trouble ?? new Error("Expected the lease to be granted, because it was stolen."));
    },
  });
}

/** @param token the token of the lease; `undefined` if the tier is written without one */
function rewrite(
  tier: RemoteTier,
  expiring: Expiring,
  token: string | undefined,
  done: (error: Error | undefined) => void,
): void {
  const { activity, operation } = expiring;
  const { storage } = tier;
  const { storageKey } = activity;
  const release = () => {
    if (token !== undefined) storage.leases.release({ storageKey, token });
  };
  storage.read({
    storageKey,
    arrived: (bytes, trouble) => {
      if (bytes === undefined || operation.fenced) {
        release();
        done(trouble);
        return;
      }
      const record = staleRecord(tier, expiring, bytes);
      if (record === undefined)
        activity.remove(tier, { done }); // Bytes without times cannot expire.
      else if (token === undefined)
        activity.write(tier, {
          birth: operation.birth,
          lease: undefined,
          record: () => unlessFenced(operation, record),
          done,
        });
      else
        storage.leases.fill({
          storageKey,
          token,
          record: () => unlessFenced(operation, record),
          filled: (isStored, failure) => {
            if (isStored === undefined && failure === undefined) release();
            done(failure);
          },
        });
    },
  });
}

function unlessFenced({ fenced }: Operation, record: StoredRecord): StoredRecord | undefined {
  return fenced ? undefined : record;
}

/** Returns the record with its freshness ended; `undefined` if the bytes are no entry. */
function staleRecord(
  tier: RemoteTier,
  { activity, clock, kind }: Expiring,
  bytes: Uint8Array,
): StoredRecord | undefined {
  const key = activity.storageKey;
  const now = clock.now() + tier.storage.clock.offset;
  const stale = retimed(bytes, key, now);
  if (stale === undefined) return undefined;
  const ttl = Math.max(1, Math.ceil(stale.freshUntil + kind.meta.heldFor - now));
  return { key, bytes: stale.bytes, ttl, freshFor: 0 };
}
