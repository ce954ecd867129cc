/**
 * Turns values into bytes and back, for the tiers that hold bytes.
 *
 * A serializer either carries a value so that it comes back as it went in, or refuses it with a `SerializationError`
 * that names the path; it never changes a value silently.
 *
 * @example
 * ```ts
 * static override meta: NodeMeta = { caches: [{ storage: "redis", ttl: "1h" }], serializer: msgpack() };
 * ```
 */
export interface Serializer {
  /**
   * A number from 1 to 255 that marks this codec in every stored entry. 1 to 63 are Cacheme's own; take one from 64 on
   * for yours. An entry of another codec is a miss.
   */
  readonly codec: number;
  /** Compression of payloads, where the serializer was made by `compressed`. */
  readonly compression?: Compression | undefined;
  /** @throws SerializationError for a value that would not come back as it went in */
  encode(value: unknown): Uint8Array;
  /** Anything thrown here makes the entry a miss. */
  decode(bytes: Uint8Array): unknown;
}

/** How and when a payload is compressed before it is stored. */
export interface Compression {
  /** Payloads of fewer bytes are stored as they are. */
  readonly threshold: number;
  compress(bytes: Uint8Array): Uint8Array;
}
