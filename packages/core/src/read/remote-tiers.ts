import type { Clock } from "../clock.js";
import type { Cached, Entry } from "../entry/entry.js";
import { decodeEntry } from "../entry/entry-codec.js";
import { Failure } from "../entry/failure.js";
import { isFresh, mayReplaceError } from "../entry/lifetime.js";
import type { Events } from "../events.js";
import type { Node } from "../node/node.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { Flight } from "../runtime/flight.js";
import type { RemoteTier } from "../runtime/node-kind.js";
import { DecompressionLimit } from "../serializer/decompression-limit.js";
import type { LocalRecord } from "../storage/local-storage.js";
import { type Claim, Claims, confirmed } from "../tags/claims.js";
import { ExpectedTags } from "../tags/expected-tags.js";
import { type KnownGeneration, tagNames } from "../tags/known-generation.js";
import type { Tag } from "../tags/tag.js";
import type { TagTable } from "../tags/tag-table.js";
import type { ReaderValues } from "./reader-values.js";
import { Unreadable } from "./unreadable.js";
import { peekUnsaved } from "./unsaved-peek.js";

/** The entry in a tier's bytes. */
export interface FoundRecord extends LocalRecord {
  readonly generations?: readonly KnownGeneration[] | undefined;
  /** The tags that must be read before the entry is returned; `undefined` if there are none. */
  readonly claims?: readonly Claim[] | undefined;
}

/** Turns the bytes of remote tiers into entries. */
export class RemoteTiers {
  readonly #clock: Clock;
  readonly #decompression: DecompressionLimit = new DecompressionLimit();
  readonly #values: ReaderValues;
  readonly #tags: TagTable;
  readonly #claims: Claims;
  readonly #unreadable: Unreadable;
  /** The tags that values told the last time. */
  readonly expected: ExpectedTags;
  #expired: FoundRecord | undefined;

  constructor(clock: Clock, events: Events, values: ReaderValues, tags: TagTable) {
    this.#clock = clock;
    this.#unreadable = new Unreadable(clock, events);
    this.#values = values;
    this.#tags = tags;
    this.#claims = new Claims(tags);
    this.expected = new ExpectedTags(tags);
  }

  /**
   * Returns the entry in the bytes if it is fresh, or if its class may return it when it is stale.
   * Returns `undefined` for a miss. If the entry has claims, {@link confirm} them before it is
   * returned to anybody.
   *
   * @param tags the node's tags, whose generations the storage has just answered
   * @param now the time on our clock; a batch reads it once for all of its answers
   */
  entryIn(
    runtime: ClassRuntime,
    tier: RemoteTier,
    storageKey: string,
    bytes: Uint8Array,
    tags: readonly Tag[] | undefined,
    now: number = this.#clock.now(),
  ): FoundRecord | undefined {
    const { serializer, fingerprint } = runtime.kind.formats.of(bytes);
    const { offset } = tier.storage.clock;
    const frozen = this.#values.areFrozen(runtime);
    const { agree } = this.#claims.expect(tags, tier.storage);
    this.#expired = undefined;
    const cached = decodeEntry(
      serializer,
      fingerprint,
      storageKey,
      bytes,
      offset,
      this.#decompression,
      agree,
      frozen,
      runtime.meta.errors !== undefined,
    );
    if (cached === undefined) {
      this.#unreadable.note(runtime, tier, storageKey, bytes);
      return undefined;
    }
    const { writtenAt } = cached;
    if (tier.distrust.covers(writtenAt) || tier.storage.restarts.covers(writtenAt)) return undefined;
    const isReturned = isKept(cached, runtime, now);
    if (!isReturned && runtime.meta.heldFor === 0) return undefined;
    const { generations, claims } = this.#claims;
    if (claims !== undefined) runtime.kind.tellsTags = true;
    // Without the node's tags the claims are not only those that the value told.
    const isAsked = tags !== undefined || runtime.nodeTags === undefined;
    if (runtime.kind.tellsTags && isAsked)
      this.expected.note(
        storageKey,
        claims?.map(({ tag }) => tag),
      );
    if (generations !== undefined && this.#tags.distrustsEntry(tier.storage, generations, writtenAt))
      return undefined;
    const { value, freshUntil, kept } = cached;
    const found =
      generations === undefined ? cached : { value, writtenAt, freshUntil, generations, claims, kept };
    if (isReturned) return found;
    if (!Failure.is(value)) this.#expired = found;
    return undefined;
  }

  /**
   * Returns the entry of the last bytes if they were a miss, because it has expired and is only held
   * for a load. {@link confirm} its claims, too.
   */
  get expired(): FoundRecord | undefined {
    return this.#expired;
  }

  /**
   * Compares the generations of an entry's claims. Reads them, unless they were read with the entry.
   *
   * @param expected the tags that were read with the entry, beside the node's
   * @param done gets the entry; `undefined` if it is not valid
   */
  confirm(
    tier: RemoteTier,
    found: FoundRecord,
    expected: readonly Tag[] | undefined,
    done: (confirmed: FoundRecord | undefined) => void,
  ): void {
    const { claims, generations = [], value, writtenAt, freshUntil, kept } = found;
    const [first] = claims ?? [];
    if (claims === undefined || first === undefined) {
      done(found);
      return;
    }
    const { storage } = tier;
    const arrived = (_: unknown, trouble: Error | undefined) => {
      const own = trouble === undefined ? confirmed(claims, storage) : undefined;
      if (own === undefined || this.#tags.distrustsEntry(storage, own, writtenAt)) done(undefined);
      else done({ value, writtenAt, freshUntil, generations: [...generations, ...own], kept });
    };
    // A tag that the table has forgotten meanwhile is another object now.
    const areRead = expected !== undefined && claims.every(({ tag }) => expected.includes(tag));
    if (areRead) arrived(undefined, undefined);
    else storage.read({ storageKey: first.tag.key, tags: claims.map(({ tag }) => tag), arrived });
  }

  /**
   * Finds the fresh entry in bytes that the storage has answered to another request than a read. So
   * the generations of all its tags are read.
   *
   * @param done gets the entry; `undefined` for a miss
   */
  arrived(
    flight: Flight,
    tier: RemoteTier,
    bytes: Uint8Array,
    done: (found: FoundRecord | undefined) => void,
  ): void {
    const found = this.entryIn(flight.runtime, tier, flight.storageKey, bytes, undefined);
    const { tags = [] } = flight;
    const hasEach = tags.every((tag) => found?.claims?.some((claim) => claim.tag === tag));
    if (found === undefined || !hasEach || !isFresh(found, this.#clock.now())) done(undefined);
    else this.confirm(tier, found, undefined, done);
  }

  /** Returns a tier's fresh entry of the node, without loading, filling or counting. */
  async peek(runtime: ClassRuntime, node: Node, key: string): Promise<Entry | undefined> {
    const unsaved = runtime.unsaved && (await peekUnsaved(runtime, runtime.unsaved, key));
    if (unsaved !== undefined) return unsaved;
    const tags = runtime.nodeTags?.of(node, key);
    for (const tier of runtime.remoteTiers) {
      const read = await this.#readIn(runtime, tier, key, tags);
      if (read !== undefined && isFresh(read.found, this.#clock.now()))
        return this.#shown(tier, read.found, read.bytes);
    }
    return undefined;
  }

  /** Returns a tier's value of the key, also if it is stale. Never rejects. */
  async readKept(
    runtime: ClassRuntime,
    key: string,
    tags: readonly Tag[] | undefined,
  ): Promise<FoundRecord | undefined> {
    for (const tier of runtime.remoteTiers) {
      const read = await this.#readIn(runtime, tier, key, tags);
      if (read !== undefined && !Failure.is(read.found.value)) return read.found;
    }
    return undefined;
  }

  #readIn(
    runtime: ClassRuntime,
    tier: RemoteTier,
    key: string,
    tags: readonly Tag[] | undefined,
  ): Promise<{ readonly found: FoundRecord; readonly bytes: Uint8Array } | undefined> {
    const { storage, distrust } = tier;
    const isDistrusted = runtime.kind.activities.find(key)?.distrusts(tier) ?? distrust.has(key);
    if (isDistrusted || (tags !== undefined && this.#tags.distrusts(storage, tags)))
      return Promise.resolve(undefined);
    const storageKey = runtime.storageKey(key);
    const expected = runtime.kind.tellsTags ? this.expected.of(storageKey) : undefined;
    return new Promise((resolve) => {
      const arrived = (bytes: Uint8Array | undefined) => {
        const found = bytes && this.entryIn(runtime, tier, storageKey, bytes, tags);
        if (bytes === undefined || found === undefined) resolve(undefined);
        else this.confirm(tier, found, expected, (entry) => resolve(entry && { found: entry, bytes }));
      };
      const read = expected === undefined ? tags : [...(tags ?? []), ...expected];
      storage.read({ storageKey, tags: read, arrived });
    });
  }

  /** A cached error is no value. */
  #shown(tier: RemoteTier, found: FoundRecord, bytes: Uint8Array): Entry | undefined {
    if (Failure.is(found.value)) return undefined;
    const { value, writtenAt, freshUntil, generations, kept } = found;
    const ttl = freshUntil - this.#clock.now();
    const tags = tagNames(generations);
    return {
      value,
      writtenAt,
      freshUntil,
      origin: tier.name,
      ttl,
      size: bytes.byteLength,
      hits: undefined,
      tags,
      kept,
    };
  }
}

/** Returns whether the entry may be returned, perhaps when it is stale. A cached error never is. */
function isKept(entry: Cached, { staleness }: ClassRuntime, now: number): boolean {
  if (isFresh(entry, now)) return true;
  if (staleness === undefined || Failure.is(entry.value)) return false;
  return mayReplaceError(entry, staleness.windows, now);
}
