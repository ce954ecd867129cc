/** The entry that a serializer writes or reads. */
export interface SerializerContext {
  /** The whole key under which a storage keeps the entry. */
  readonly key: string;
}

/**
 * Turns values into bytes and back, for the tiers that hold bytes.
 *
 * A serializer carries a value so that it comes back as it went in. Otherwise it refuses the value
 * with a `SerializationError` that names the path. It never changes a value silently. Cacheme's own
 * are `msgpack()` (the default), `json()` and `v8()`, each also `compressed(…)`.
 *
 * @example
 * ```ts
 * static override meta: NodeMeta = { name: "user", caches: [{ storage: "redis", ttl: "1h" }], serializer: json() };
 * ```
 *
 * @example A serializer of your own
 * ```ts
 * const utf8: Serializer = {
 *   codec: 64,
 *   encode: (value) => new TextEncoder().encode(String(value)),
 *   decode: (bytes) => new TextDecoder().decode(bytes),
 * };
 * ```
 */
export interface Serializer {
  /**
   * A number from 1 to 255 that marks this codec in every stored entry. Cacheme's own use 1 to 63;
   * take a number from 64 on for yours. An entry of another codec is a miss.
   */
  readonly codec: number;
  /** Compression of payloads, if `compressed` made the serializer. */
  readonly compression?: Compression | undefined;
  /**
   * The most bytes that a compressed payload may grow to, by any writer. An entry that would grow
   * larger is a miss. Default: 64 MiB.
   */
  readonly maxDecompressedSize?: number | undefined;
  /**
   * Returns the value as bytes, not yet compressed. The bytes must not change afterwards; they are
   * copied soon.
   *
   * @param context the entry; a serializer around another one must pass it on
   * @throws SerializationError for a value that would not come back as it went in
   */
  encode(value: unknown, context?: SerializerContext): Uint8Array;
  /**
   * Returns the value that {@link encode} got. The result must not share memory with `bytes`, which
   * may be part of a larger buffer. Any error thrown here makes the entry a miss.
   *
   * @param context as in {@link encode}
   */
  decode(bytes: Uint8Array, context?: SerializerContext): unknown;
}

/** How and when a payload is compressed before it is stored. `compressed` makes it. */
export interface Compression {
  /** Payloads of fewer bytes are stored as they are. */
  readonly threshold: number;
  /**
   * The algorithm. Each entry is marked with it, so every reader can decompress the entry, whatever
   * the reader's settings.
   */
  readonly algorithm: CompressionAlgorithm;
  compress(bytes: Uint8Array): Uint8Array;
}

/** `"gzip"` and `"deflate"` are fast; `"brotli"` is smaller and slower to write. */
export type CompressionAlgorithm = "gzip" | "deflate" | "brotli";
