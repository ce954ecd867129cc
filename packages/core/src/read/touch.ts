import type { Clock } from "../clock.js";
import { decodeEnvelope } from "../entry/envelope.js";
import { isFresh, keptUntilOf, mayRevalidate } from "../entry/lifetime.js";
import { ConfigurationError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { Node } from "../node/node.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { RemoteTier } from "../runtime/node-kind.js";
import { type Claim, Claims, confirmed } from "../tags/claims.js";
import type { KnownGeneration } from "../tags/known-generation.js";
import type { Tag } from "../tags/tag.js";
import { isValid } from "../tags/valid-entry.js";
import { isDistrusted, prolong, touchRemotely } from "./idle.js";
import { peekUnsaved } from "./unsaved-peek.js";

/**
 * Restarts the idle time of a node's entries.
 *
 * @returns whether a tier has an entry that a read would find
 * @throws ConfigurationError `CACHEME_NOT_IDLE` for a class without `idle`
 * @throws StorageError if no tier is known to have one, and one could not be asked
 */
export async function touchEntries(
  runtime: ClassRuntime,
  node: Node,
  key: string,
  clock: Clock,
): Promise<boolean> {
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
  // A read would answer with the local entry. Without one it would examine the remote ones.
  const hasLocal = isThere;
  const tags = hasLocal ? undefined : runtime.nodeTags?.of(node, key);
  const answers = await Promise.all(
    runtime.remoteTiers.map(async (tier): Promise<Error | boolean> => {
      const left = hasLocal ? idle.keptFor : await timeLeftIn(runtime, key, tags, tier, clock);
      if (typeof left === "object") return left;
      return new Promise((answer) =>
        touchRemotely(runtime, key, tier, idle, Math.min(idle.keptFor, left), (found, trouble) =>
          answer(trouble ?? found),
        ),
      );
    }),
  );
  if (isThere || answers.includes(true)) return true;
  if (runtime.unsaved !== undefined && (await peekUnsaved(runtime, runtime.unsaved, key)) !== undefined)
    return true; // Until the source has it, a read is answered from the journal.
  for (const answer of answers) if (typeof answer === "object") throw answer;
  return false;
}

/** An entry in a tier's bytes, whose times a read would accept. */
interface Accepted {
  /** The time until which the tier may keep it, on our clock. */
  readonly keptUntil: number;
  readonly writtenAt: number;
  /** The generations of the node's tags. */
  readonly generations: readonly KnownGeneration[];
  /** Its other tags. */
  readonly claims: readonly Claim[];
}

/**
 * Settles with the milliseconds for which a remote tier may keep its entry, 0 without one that a read
 * would find. The storage knows the idle time only. It would keep an entry beyond its ttl, and
 * answer that there is one.
 */
async function timeLeftIn(
  runtime: ClassRuntime,
  key: string,
  tags: readonly Tag[] | undefined,
  tier: RemoteTier,
  clock: Clock,
): Promise<Error | number> {
  const { storage } = tier;
  const isTagDistrusted = tags !== undefined && runtime.tags.distrusts(storage, tags);
  if (isTagDistrusted || isDistrusted(runtime, key, tier)) return 0;
  const found = await readIn(tier, runtime.storageKey(key), tags, (bytes) =>
    acceptedIn(runtime, key, tags, tier, bytes, clock.now()),
  );
  if (found === undefined || "message" in found) return found ?? 0;
  const { claims, generations, keptUntil, writtenAt } = found;
  const [first] = claims;
  let all = generations;
  if (first !== undefined) {
    const claimed = claims.map(({ tag }) => tag);
    const others = await readIn(tier, first.tag.key, claimed, () => confirmed(claims, storage));
    if (others === undefined || "message" in others) return others ?? 0;
    all = [...generations, ...others];
  }
  return runtime.tags.distrustsEntry(storage, all, writtenAt) ? 0 : keptUntil - clock.now();
}

/** Reads bytes and the generations of tags from a tier. */
function readIn<T>(
  { storage }: RemoteTier,
  storageKey: string,
  tags: readonly Tag[] | undefined,
  use: (bytes: Uint8Array) => T | undefined,
): Promise<T | Error | undefined> {
  return new Promise((resolve) => {
    const arrived = (bytes: Uint8Array | undefined, trouble: Error | undefined) =>
      resolve(trouble ?? (bytes && use(bytes)));
    storage.read({ storageKey, tags, arrived });
  });
}

/** Returns the entry in a tier's bytes; `undefined` if a read would not accept it. An error is no entry. */
function acceptedIn(
  { kind, staleness, tags: table }: ClassRuntime,
  key: string,
  tags: readonly Tag[] | undefined,
  { storage, distrust }: RemoteTier,
  bytes: Uint8Array,
  now: number,
): Accepted | undefined {
  const { serializer, fingerprint } = kind.formats.of(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const envelope = decodeEnvelope(buffer, serializer.codec, fingerprint, kind.storageKey(key));
  if (envelope === undefined || envelope.isError) return undefined;
  const { offset } = storage.clock;
  const writtenAt = envelope.writtenAt - offset;
  if (distrust.covers(writtenAt) || storage.restarts.covers(writtenAt)) return undefined;
  const times = { freshUntil: envelope.freshUntil - offset };
  const mayBeStale = staleness !== undefined && mayRevalidate(times, staleness.windows, now);
  if (!isFresh(times, now) && !mayBeStale) return undefined;
  const read = new Claims(table).expect(tags, storage);
  if (!read.agree(envelope.generations)) return undefined;
  const keptUntil = keptUntilOf(times.freshUntil, kind.meta.heldFor);
  return { keptUntil, writtenAt, generations: read.generations ?? [], claims: read.claims ?? [] };
}
