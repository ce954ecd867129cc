import type { Clock } from "../clock.js";
import { keptUntilOf } from "../entry/lifetime.js";
import { ConfigurationError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { IdleTime } from "../node/policy/idle.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { LocalTier, RemoteTier } from "../runtime/node-kind.js";
import type { LocalEntry } from "../storage/local-storage.js";
import { isValid } from "../tags/valid-entry.js";
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

function prolong(
  { space, meta }: ClassRuntime,
  key: string,
  storage: LocalTier["storage"],
  entry: LocalEntry,
  { keptFor }: IdleTime,
  now: number,
): void {
  if (entry.idleUntil === undefined) return;
  entry.idleUntil = now + keptFor;
  storage.touch?.(space, key, Math.min(now + keptFor, keptUntilOf(entry.freshUntil, meta.heldFor)), now);
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

/** Does not extend an entry that is about to be removed. */
function touchRemotely(
  runtime: ClassRuntime,
  key: string,
  tier: RemoteTier,
  { interval }: IdleTime,
  ttl: number,
  answered?: RemoteTouch["answered"],
): void {
  const isDistrusted = runtime.kind.activities.find(key)?.distrusts(tier) ?? tier.distrust.has(key);
  if (isDistrusted || ttl <= 0) {
    answered?.(false, undefined);
    return;
  }
  const touch = { storageKey: runtime.storageKey(key), ttl: Math.ceil(ttl), interval };
  tier.storage.touches.add(answered === undefined ? touch : { ...touch, answered });
}

/**
 * Restarts the idle time of a node's entries, without reading a value.
 *
 * @returns whether a tier has an entry
 * @throws ConfigurationError `CACHEME_NOT_IDLE` for a class without `idle`
 * @throws StorageError if no tier is known to have one, and one could not be asked
 */
export async function touchEntries(runtime: ClassRuntime, key: string, clock: Clock): Promise<boolean> {
  const { idle } = runtime.meta;
  if (idle === undefined) {
    throw new ConfigurationError(
      "CACHEME_NOT_IDLE",
      `touch(…) of ${nodeLabel(runtime.name, key)} needs the option idle in the meta of its class, which it does not have. ` +
        "A ttl bounds the age of a value: to restart it, load the value by refresh, or store it by set.",
      { node: runtime.name, key },
    );
  }
  const now = clock.now();
  let isThere = false;
  for (const { storage } of runtime.localTiers) {
    const entry = storage.peek(runtime.space, key);
    if (entry === undefined || !isValid(entry, now)) continue;
    isThere = true;
    prolong(runtime, key, storage, entry, idle, now);
  }
  const answers = await Promise.all(
    runtime.remoteTiers.map(
      (tier) =>
        new Promise<Error | boolean>((answer) =>
          touchRemotely(runtime, key, tier, idle, idle.keptFor, (found, trouble) => answer(trouble ?? found)),
        ),
    ),
  );
  if (isThere || answers.includes(true)) return true;
  for (const answer of answers) if (typeof answer === "object") throw answer;
  return false;
}
