import type { Clock } from "../clock.js";
import type { Cached } from "../entry/entry.js";
import { decodeEntry } from "../entry/entry-codec.js";
import { Failure } from "../entry/failure.js";
import { isFresh } from "../entry/lifetime.js";
import type { Node } from "../node/node.js";
import { requestTier } from "../node/policy/request-tier.js";
import { currentRequest } from "../request/request.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { LocalTier, RemoteTier } from "../runtime/node-kind.js";
import type { LocalEntry } from "../storage/local-storage.js";
import { pairsIn } from "../tags/section.js";
import type { Tag } from "../tags/tag.js";
import type { TagTable } from "../tags/tag-table.js";
import { isIdle, isValid } from "../tags/valid-entry.js";
import { troubleReason } from "../tiers/guarded/trouble.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import type { Explanation, TierExplanation, TierVerdict } from "./explanation.js";
import { peekUnsaved } from "./unsaved-peek.js";

/** The answer of a remote storage to the explanation's read. */
interface Answer {
  readonly bytes: Uint8Array | undefined;
  readonly trouble: Error | undefined;
}

/** The entry in a tier's bytes, whatever its times and tags. */
interface Decoded {
  readonly entry: Cached;
  /** The ids of the generations by tag. */
  readonly generations: ReadonlyMap<string, string>;
}

/** The parts of a space that its explanations use. */
interface ExplainedParts {
  readonly clock: Clock;
  readonly runtimes: { readonly tags: TagTable };
}

/**
 * Finds out how a read of a node would end now. It loads nothing, fills nothing and counts nothing.
 */
export class Explainer {
  readonly #parts: ExplainedParts;

  constructor(parts: ExplainedParts) {
    this.#parts = parts;
  }

  /** Examines every tier, also those that a read would not ask. */
  async explain(runtime: ClassRuntime, node: Node, key: string): Promise<Explanation> {
    const activity = runtime.kind.activities.find(key);
    const tags = runtime.nodeTags?.of(node, key) ?? [];
    // The request may end while the remote tiers answer.
    const own = runtime.isPerRequest ? [this.#request(runtime, key)] : [];
    const shared = await Promise.all(
      runtime.tiers.map((tier) =>
        tier.kind === "local"
          ? this.#local(tier, runtime, key)
          : this.#remote(tier, runtime, key, tags, activity),
      ),
    );
    const tiers = [...own, ...shared];
    // The journal answers before any tier.
    const unsaved = runtime.unsaved && (await peekUnsaved(runtime, runtime.unsaved, key));
    return {
      node: runtime.name,
      key,
      storageKey: runtime.storageKey(key),
      origin: answersAlone(own) ? requestTier : (unsaved?.origin ?? originIn(shared)),
      tiers,
      underway: activity?.flights.all.map(({ state }) => state) ?? [],
      isRevalidating: activity?.flights.revalidating !== undefined,
      backOff: Math.max(0, (runtime.staleness?.backOffs.until(key) ?? 0) - this.#parts.clock.now()),
      isKnownToDoorkeeper: runtime.doorkeeper?.knows(key),
    };
  }

  /** Explains the tier of the caller's request. */
  #request({ kind }: ClassRuntime, key: string): TierExplanation {
    const tier = { kind: "request", name: requestTier } as const;
    const request = currentRequest();
    if (request === undefined) return explanation(tier, { verdict: "no-request" });
    const kept = request.find(kind, key);
    if (kept === undefined) return explanation(tier, { verdict: "absent" });
    const age = this.#parts.clock.now() - kept.since;
    return explanation(tier, { verdict: kept.isPending ? "pending" : "fresh", age });
  }

  #local(tier: LocalTier, runtime: ClassRuntime, key: string): TierExplanation {
    const entry = tier.storage.peek(runtime.space, key);
    if (entry === undefined || this.#verdict(runtime, key, entry) === "expired") {
      const failed = this.#localError(tier, runtime, key);
      if (failed !== undefined) return failed;
    }
    if (entry === undefined) return explanation(tier, { verdict: "absent" });
    const tags = (entry.generations ?? []).map(({ tag, isCurrent }) => ({ tag, isCurrent }));
    const times = this.#verdict(runtime, key, entry);
    const verdict = times === "expired" || areCurrent(tags) ? times : "tag";
    return explanation(tier, { verdict, ...this.#times(entry), tags });
  }

  /** Explains the error that a local tier has in the place of a value. */
  #localError(tier: LocalTier, { kind }: ClassRuntime, key: string): TierExplanation | undefined {
    const entry = kind.errorSpace === undefined ? undefined : tier.storage.peek(kind.errorSpace, key);
    if (entry === undefined || !isValid(entry, this.#parts.clock.now())) return undefined;
    const tags = (entry.generations ?? []).map(({ tag, isCurrent }) => ({ tag, isCurrent }));
    const error = Failure.parse(String(entry.value)).toError(entry.writtenAt);
    return explanation(tier, { verdict: "error", ...this.#times(entry), tags, error });
  }

  /** Returns the verdict on an entry's times. */
  #verdict(
    { staleness }: ClassRuntime,
    key: string,
    entry: Cached & Pick<LocalEntry, "idleUntil">,
  ): "fresh" | "stale" | "expired" {
    const now = this.#parts.clock.now();
    if (isIdle(entry, now)) return "expired";
    if (isFresh(entry, now)) return "fresh";
    return staleness?.mayAnswer(entry, key, now) === true ? "stale" : "expired";
  }

  async #remote(
    tier: RemoteTier,
    runtime: ClassRuntime,
    key: string,
    own: readonly Tag[],
    activity: KeyActivity | undefined,
  ): Promise<TierExplanation> {
    const { storage } = tier;
    const state = {
      holdsLease: activity?.flights.all.some(({ rights }) => rights?.holds(tier)) ?? false,
      breaker: storage.guard.breaker,
    };
    const storageKey = runtime.storageKey(key);
    const { bytes, trouble } = await answerOf(storage, storageKey, own);
    if (trouble !== undefined) {
      const verdict = troubleReason(trouble) === "breaker-open" ? "breaker-open" : "unreachable";
      return explanation(tier, { ...state, verdict, error: trouble });
    }
    if (bytes === undefined) return explanation(tier, { ...state, verdict: "absent" });
    const size = bytes.byteLength;
    const decoded = decodedIn(runtime, storage, storageKey, bytes);
    if (decoded === undefined) return explanation(tier, { ...state, verdict: "unreadable", size });
    const { entry, generations } = decoded;
    const tags = await this.#tagsOf(storage, generations, own);
    const times = this.#verdict(runtime, key, entry);
    const verdict =
      times === "expired" ? times : areCurrent(tags) ? (refusal(tier, activity, key, entry) ?? times) : "tag";
    const found = { ...state, size, ...this.#times(entry), tags };
    const { value, writtenAt } = entry;
    if (verdict !== "fresh" || !Failure.is(value)) return explanation(tier, { ...found, verdict });
    return explanation(tier, { ...found, verdict: "error", error: value.toError(writtenAt) });
  }

  /** Compares the entry's generations with the storage's. The node's own tags have been read. */
  async #tagsOf(
    storage: RemoteBatch,
    generations: ReadonlyMap<string, string>,
    own: readonly Tag[],
  ): Promise<TierExplanation["tags"]> {
    const others = Array.from(generations.keys(), (name) => this.#parts.runtimes.tags.of(name)).filter(
      (tag) => !own.includes(tag),
    );
    const [first] = others;
    if (first !== undefined) await answerOf(storage, first.key, others);
    return [...own, ...others].map((tag) => {
      const known = tag.in(storage);
      return { tag: tag.name, isCurrent: known?.isTold === true && known.id === generations.get(tag.name) };
    });
  }

  #times({ writtenAt, freshUntil }: Cached): Pick<TierExplanation, "age" | "ttl"> {
    const now = this.#parts.clock.now();
    return { age: now - writtenAt, ttl: freshUntil - now };
  }
}

/** Reads a key, and the generations of the tags. */
function answerOf(storage: RemoteBatch, storageKey: string, tags: readonly Tag[]): Promise<Answer> {
  return new Promise((resolve) => {
    storage.read({ storageKey, tags, arrived: (bytes, trouble) => resolve({ bytes, trouble }) });
  });
}

function decodedIn(
  { kind, meta }: ClassRuntime,
  { clock }: RemoteBatch,
  storageKey: string,
  bytes: Uint8Array,
): Decoded | undefined {
  let section: string | undefined;
  const note = (generations: string | undefined) => {
    section = generations;
    return true;
  };
  const { serializer, fingerprint } = kind.formats.of(bytes);
  const readsErrors = meta.errors !== undefined;
  const entry = decodeEntry(
    serializer,
    fingerprint,
    storageKey,
    bytes,
    clock.offset,
    undefined,
    note,
    false,
    readsErrors,
  );
  const generations = pairsIn(section ?? "");
  return entry === undefined || generations === undefined ? undefined : { entry, generations };
}

const answers: ReadonlySet<TierVerdict> = new Set(["fresh", "stale", "error"]);

/** Whether the request answers a read by what it keeps, or by a read under way. */
function answersAlone([tier]: readonly TierExplanation[]): boolean {
  return tier?.verdict === "fresh" || tier?.verdict === "pending";
}

/**
 * Returns the storage that would answer: the first with an entry. Among the local tiers a fresh
 * value comes first, then a stale one.
 */
function originIn(tiers: readonly TierExplanation[]): string | undefined {
  const local = (verdict: TierVerdict) =>
    tiers.find((tier) => tier.kind === "local" && tier.verdict === verdict);
  const origin = tiers.find(({ verdict }) => answers.has(verdict));
  return (origin?.kind === "local" ? (local("fresh") ?? local("stale") ?? origin) : origin)?.storage;
}

/** Returns the reason not to return an entry that its times and its tags allow. */
function refusal(
  tier: RemoteTier,
  activity: KeyActivity | undefined,
  key: string,
  { writtenAt }: Cached,
): TierVerdict | undefined {
  const { distrust, storage } = tier;
  if (distrust.has(key) || distrust.covers(writtenAt) || storage.restarts.covers(writtenAt))
    return "distrusted";
  return activity?.distrusts(tier) === true ? "fenced" : undefined;
}

function areCurrent(tags: TierExplanation["tags"]): boolean {
  return tags.every(({ isCurrent }) => isCurrent);
}

function explanation(
  { kind, name }: Pick<LocalTier | RemoteTier, "name"> & Pick<TierExplanation, "kind">,
  found: Pick<TierExplanation, "verdict"> & Partial<TierExplanation>,
): TierExplanation {
  return {
    storage: name,
    kind,
    age: undefined,
    ttl: undefined,
    size: undefined,
    tags: [],
    holdsLease: false,
    breaker: undefined,
    error: undefined,
    ...found,
  };
}
