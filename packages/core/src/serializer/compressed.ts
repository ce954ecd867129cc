import { kMaxLength } from "node:buffer";
import { ConfigurationError } from "../errors.js";
import { checkSerializer } from "./checked-serializer.js";
import { defaultMaxDecompressedSize } from "./decompression-limit.js";
import { encryptedCodec } from "./encrypted-codec.js";
import type { Compression, CompressionAlgorithm, Serializer } from "./serializer.js";

/** Loads the module at the first compression, because loading takes one to two milliseconds. */
function zlib(): typeof import("node:zlib") {
  return process.getBuiltinModule("node:zlib");
}

/** The settings of `compressed`: when and how it compresses. */
export interface CompressionOptions {
  /** Payloads of fewer bytes are stored as they are. Default 1,024. */
  readonly threshold?: number | undefined;
  /** The algorithm. Default `"deflate"`. */
  readonly algorithm?: CompressionAlgorithm | undefined;
  /**
   * The effort: 1 (fast) to 9 (small) for gzip and deflate, 0 to 11 for brotli. Default 6 for gzip
   * and deflate, 4 for brotli.
   */
  readonly level?: number | undefined;
  /**
   * The most bytes that a payload may grow to when it is read. An entry that would grow larger is a
   * miss, and a larger payload is stored uncompressed. Default 67,108,864 (64 MiB). The payloads of
   * one batch that grow more than 32 times may together grow to an eighth of the limit.
   */
  readonly maxDecompressedSize?: number | undefined;
}

interface Algorithm {
  readonly levels: readonly [lowest: number, highest: number];
  readonly defaultLevel: number;
  compress(bytes: Uint8Array, level: number): Uint8Array;
  decompress(bytes: Uint8Array, maxOutputLength: number): Uint8Array;
}

const algorithms: Readonly<Record<CompressionAlgorithm, Algorithm>> = {
  gzip: {
    levels: [1, 9],
    defaultLevel: 6,
    compress: (bytes, level) => zlib().gzipSync(bytes, { level }),
    decompress: (bytes, maxOutputLength) => zlib().gunzipSync(bytes, { maxOutputLength }),
  },
  deflate: {
    levels: [1, 9],
    defaultLevel: 6,
    compress: (bytes, level) => zlib().deflateSync(bytes, { level }),
    decompress: (bytes, maxOutputLength) => zlib().inflateSync(bytes, { maxOutputLength }),
  },
  brotli: {
    levels: [0, 11],
    defaultLevel: 4,
    compress: (bytes, level) =>
      zlib().brotliCompressSync(bytes, {
        params: {
          [zlib().constants.BROTLI_PARAM_QUALITY]: level,
          [zlib().constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
    decompress: (bytes, maxOutputLength) => zlib().brotliDecompressSync(bytes, { maxOutputLength }),
  },
};

/**
 * Returns the same serializer, but compresses payloads from a size on before they are stored. The
 * serializer carries the same values and keeps its codec. Each entry says how it was compressed, so
 * entries stay readable if the options change. You can turn compression on or off at any time. A
 * payload that would not get smaller is stored uncompressed.
 *
 * Compressing runs in the calling thread: some 5 to 10 ms for a megabyte of records at the default
 * level.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an unknown algorithm, a level out of
 *   range, a bad threshold or size, or an encrypted serializer
 *
 * @example
 * ```ts
 * static override meta: NodeMeta = {
 *   name: "user",
 *   caches: [{ storage: "redis", ttl: "1h" }],
 *   serializer: compressed(json(), { algorithm: "brotli", threshold: 4_096 }),
 * };
 * ```
 */
export function compressed(serializer: Serializer, options: CompressionOptions = {}): Serializer {
  checkSerializer("compressed()", serializer);
  if (serializer.codec === encryptedCodec) {
    throw new ConfigurationError(
      "CACHEME_INVALID_OPTION",
      "compressed() got encrypted(…), whose bytes do not get smaller. Write encrypted(compressed(…)).",
    );
  }
  return {
    codec: serializer.codec,
    compression: compression(options),
    maxDecompressedSize: sizeLimit(options),
    encode: (value, context) => serializer.encode(value, context),
    decode: (bytes, context) => serializer.decode(bytes, context),
  };
}

/**
 * Decompresses a payload.
 *
 * @param limit in bytes
 * @throws the error of `node:zlib` if the bytes are not compressed by the algorithm, or grow beyond
 *   the limit
 */
export function decompress(algorithm: CompressionAlgorithm, bytes: Uint8Array, limit: number): Uint8Array {
  return algorithms[algorithm].decompress(bytes, limit);
}

function sizeLimit({ maxDecompressedSize = defaultMaxDecompressedSize }: CompressionOptions): number {
  if (!(Number.isSafeInteger(maxDecompressedSize) && maxDecompressedSize > 0)) {
    throw invalid("maxDecompressedSize", maxDecompressedSize, "Give a whole number of bytes from 1 on.");
  }
  return Math.min(maxDecompressedSize, kMaxLength);
}

function compression(options: CompressionOptions): Compression {
  const { algorithm = "deflate", threshold = 1_024 } = options;
  if (!Object.hasOwn(algorithms, algorithm)) {
    throw invalid("algorithm", algorithm, `Take one of ${Object.keys(algorithms).join(", ")}.`);
  }
  if (!(Number.isFinite(threshold) && threshold >= 0)) {
    throw invalid("threshold", threshold, "Give a number of bytes from 0 on.");
  }
  const {
    defaultLevel,
    levels: [lowest, highest],
    compress,
  } = algorithms[algorithm];
  const level = options.level ?? defaultLevel;
  if (!(Number.isInteger(level) && level >= lowest && level <= highest)) {
    throw invalid("level", level, `Give a whole number from ${lowest} to ${highest} for ${algorithm}.`);
  }
  return Object.freeze({ threshold, algorithm, compress: (bytes: Uint8Array) => compress(bytes, level) });
}

function invalid(option: string, value: unknown, advice: string): ConfigurationError {
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  return new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `The option ${option} of compressed() is ${shown}. ${advice}`,
  );
}
