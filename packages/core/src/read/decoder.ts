import type { Cached } from "../entry/entry.js";
import { decodeEntry } from "../entry/entry-codec.js";
import type { Plan } from "../plan/plan.js";
import { DecompressionLimit } from "../serializer/decompression-limit.js";
import type { ReaderValues } from "./reader-values.js";

/** Makes the entries that readers are given of the bytes of remote tiers. */
export class Decoder {
  readonly #values: ReaderValues;
  readonly #limit = new DecompressionLimit();

  constructor(values: ReaderValues) {
    this.#values = values;
  }

  /** Returns `undefined` for no bytes, and for bytes that cannot be read. */
  decode(plan: Plan, storageKey: string, bytes: Uint8Array | undefined): Cached | undefined {
    if (bytes === undefined) return undefined;
    const cached = decodeEntry(plan.meta.serializer, plan.fingerprint, storageKey, bytes, this.#limit);
    if (cached !== undefined) this.#values.decoded(plan, cached.value);
    return cached;
  }
}
