import type { Clock } from "../clock.js";
import type { Cached, Entry } from "../entry/entry.js";
import { decodeEntry } from "../entry/entry-codec.js";
import { isFresh } from "../entry/lifetime.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { RemoteTier } from "../runtime/node-kind.js";
import { DecompressionLimit } from "../serializer/decompression-limit.js";
import type { ReaderValues } from "./reader-values.js";

/** Turns the bytes of remote tiers into entries. */
export class RemoteTiers {
  readonly #clock: Clock;
  readonly #decompression: DecompressionLimit = new DecompressionLimit();

  readonly #values: ReaderValues;

  constructor(clock: Clock, values: ReaderValues) {
    this.#clock = clock;
    this.#values = values;
  }

  /** Returns the fresh entry in the bytes, or `undefined` for a miss. */
  entryIn(
    runtime: ClassRuntime,
    tier: RemoteTier,
    storageKey: string,
    bytes: Uint8Array,
  ): Cached | undefined {
    const { meta, fingerprint } = runtime;
    const { offset } = tier.storage.clock;
    const frozen = this.#values.areFrozen(runtime);
    const cached = decodeEntry(
      meta.serializer,
      fingerprint,
      storageKey,
      bytes,
      offset,
      this.#decompression,
      undefined,
      frozen,
    );
    if (cached === undefined) return undefined;
    if (tier.distrust.covers(cached.writtenAt)) return undefined;
    if (!isFresh(cached, this.#clock.now())) return undefined;
    return cached;
  }

  /** Returns a tier's entry of the node, without loading, filling or counting. */
  async peek(runtime: ClassRuntime, key: string): Promise<Entry | undefined> {
    for (const tier of runtime.remoteTiers) {
      const storageKey = runtime.storageKey(key);
      if (runtime.kind.activities.find(key)?.distrusts(tier) ?? tier.distrust.has(key)) continue;
      const bytes = await new Promise<Uint8Array | undefined>((arrived) =>
        tier.storage.read({ storageKey, arrived }),
      );
      const cached = bytes === undefined ? undefined : this.entryIn(runtime, tier, storageKey, bytes);
      if (cached !== undefined) {
        const ttl = cached.freshUntil - this.#clock.now();
        return { ...cached, origin: tier.name, ttl, size: bytes?.byteLength, hits: undefined };
      }
    }
    return undefined;
  }
}
