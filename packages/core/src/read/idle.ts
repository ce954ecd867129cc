import { keptUntilOf } from "../entry/lifetime.js";
import type { IdleTime } from "../node/policy/idle.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { LocalTier, RemoteTier } from "../runtime/node-kind.js";
import type { LocalEntry } from "../storage/local-storage.js";
import type { RemoteTouch } from "../tiers/touch-batch.js";

/**
 * Uses a fresh local entry: restarts its idle time, in every tier, if that is due. Returns whether
 * the entry may be returned. One that has not been read for too long may not.
 */
export function useLocally(
  runtime: ClassRuntime,
  key: string,
  tier: LocalTier,
  entry: LocalEntry,
  now: number,
): boolean {
  const { idleUntil } = entry;
  const { idle } = runtime;
  if (idleUntil === undefined || idle === undefined) return true;
  if (idleUntil <= now) {
    tier.storage.remove(runtime.space, key);
    return false;
  }
  // A clock that was set back makes a touch due.
  if (Math.abs(now + idle.keptFor - idleUntil) < idle.interval) return true;
  for (const { storage } of runtime.localTiers) {
    const other = storage === tier.storage ? entry : storage.peek(runtime.space, key);
    if (other !== undefined) prolong(runtime, key, storage, other, idle, now);
  }
  for (const remote of runtime.remoteTiers) touchRemotely(runtime, key, remote, idle, idle.keptFor);
  return true;
}

/** Restarts the idle time of a local entry. */
export function prolong(
  { space, meta }: ClassRuntime,
  key: string,
  storage: LocalTier["storage"],
  entry: LocalEntry,
  { keptFor }: IdleTime,
  now: number,
): void {
  if (entry.idleUntil === undefined) return;
  entry.idleUntil = now + keptFor;
  try {
    storage.touch?.(space, key, Math.min(now + keptFor, keptUntilOf(entry.freshUntil, meta.heldFor)), now);
  } catch {
    storage.remove(space, key); // A tier that cannot keep the value any more, such as by its weight, costs no reader.
  }
}

/**
 * Restarts the idle time of an entry that a remote tier has answered, in that tier and in those on
 * its right. Nobody waits for it.
 */
export function useRemotely(
  runtime: ClassRuntime,
  key: string,
  from: number,
  freshUntil: number,
  now: number,
): void {
  const { idle } = runtime.meta;
  if (idle === undefined) return;
  for (const tier of runtime.remoteTiers) {
    if (tier.index < from) continue;
    // The ttl that is left bounds it in the tier that told it. Another one may keep it for longer.
    const left = tier.index === from ? keptUntilOf(freshUntil, runtime.meta.heldFor) - now : idle.keptFor;
    touchRemotely(runtime, key, tier, idle, Math.min(idle.keptFor, left));
  }
}

/** Restarts the idle time of a remote entry. Does not extend one that is about to be removed. */
export function touchRemotely(
  runtime: ClassRuntime,
  key: string,
  tier: RemoteTier,
  { interval }: IdleTime,
  ttl: number,
  answered?: RemoteTouch["answered"],
): void {
  if (ttl <= 0 || isDistrusted(runtime, key, tier)) {
    answered?.(false, undefined);
    return;
  }
  const touch = { storageKey: runtime.storageKey(key), ttl: Math.ceil(ttl), interval };
  tier.storage.touches.add(answered === undefined ? touch : { ...touch, answered });
}

/** Returns whether the tier is not read for the key now. */
export function isDistrusted({ kind }: ClassRuntime, key: string, tier: RemoteTier): boolean {
  return kind.activities.find(key)?.distrusts(tier) ?? tier.distrust.has(key);
}
