import { type CachemeErrorDetails, SerializationError } from "../errors.js";
import { decompress, largestDecompressed } from "../serializer/compressed.js";
import type { CompressionAlgorithm, Serializer } from "../serializer/serializer.js";
import type { Cached } from "./entry.js";
import { decodeEnvelope, encodeEnvelope } from "./envelope.js";

/**
 * The bytes that a remote storage keeps for an entry.
 *
 * @param about the node, key and storage to name in an error
 * @throws SerializationError where the serializer cannot carry the value, or fails in any other way
 */
export function encodeEntry(
  serializer: Serializer,
  fingerprint: number,
  cached: Cached,
  about: CachemeErrorDetails = {},
): Uint8Array {
  const { payload, compression } = pack(serializer, cached.value, about);
  return encodeEnvelope({
    codec: serializer.codec,
    fingerprint,
    compression,
    writtenAt: cached.writtenAt,
    freshUntil: cached.freshUntil,
    payload,
  });
}

/**
 * The entry in the bytes; `undefined` for anything that cannot be read, whatever the reason: a miss, never an error. Does not
 * look at the time: an entry whose `freshUntil` has passed is returned.
 */
export function decodeEntry(
  serializer: Serializer,
  fingerprint: number,
  bytes: Uint8Array,
): Cached | undefined {
  const envelope = decodeEnvelope(bytes, { codec: serializer.codec, fingerprint });
  if (envelope === undefined) return undefined;
  const { compression, payload, writtenAt, freshUntil } = envelope;
  try {
    const value = serializer.decode(compression === undefined ? payload : decompress(compression, payload));
    return { value, writtenAt, freshUntil };
  } catch {
    return undefined;
  }
}

interface Packed {
  readonly payload: Uint8Array;
  readonly compression: CompressionAlgorithm | undefined;
}

function pack(serializer: Serializer, value: unknown, about: CachemeErrorDetails): Packed {
  try {
    const plain = serializer.encode(value);
    const { compression } = serializer;
    if (
      compression !== undefined &&
      plain.length >= compression.threshold &&
      plain.length <= largestDecompressed
    ) {
      const payload = compression.compress(plain);
      if (payload.length < plain.length) return { payload, compression: compression.algorithm };
    }
    return { payload: plain, compression: undefined };
  } catch (error) {
    throw refusal(error, about);
  }
}

function refusal(error: unknown, about: CachemeErrorDetails): SerializationError {
  const subject = about.node === undefined ? "" : `Node ${about.node}: `;
  if (error instanceof SerializationError) {
    return new SerializationError(subject + error.message, error.path, { ...about, cause: error.cause });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new SerializationError(`${subject}The serializer failed: ${reason}`, "$", {
    ...about,
    cause: error,
  });
}
