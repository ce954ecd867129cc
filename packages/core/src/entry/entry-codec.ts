import { type CachemeErrorDetails, reasonOf, SerializationError } from "../errors.js";
import { decompress } from "../serializer/compressed.js";
import {
  DecompressionLimit,
  defaultMaxDecompressedSize,
  mayDecompress,
} from "../serializer/decompression-limit.js";
import type { CompressionAlgorithm, Serializer } from "../serializer/serializer.js";
import type { Cached } from "./entry.js";
import { decodeEnvelope, encodeEnvelope } from "./envelope.js";

/** A value as bytes, without its times. */
export interface Packed {
  readonly codec: number;
  readonly payload: Uint8Array;
  readonly compression: CompressionAlgorithm | undefined;
}

/**
 * Returns the bytes that a remote storage keeps for an entry.
 *
 * @param storageKey the key of the bytes; under another key they are a miss
 * @param generations the section of generations, if the entry has tags
 */
export function encodeEntry(
  packed: Packed,
  fingerprint: number,
  storageKey: string,
  { writtenAt, freshUntil }: Omit<Cached, "value">,
  generations?: string | undefined,
): Uint8Array {
  const { codec, compression, payload } = packed;
  return encodeEnvelope(
    { codec, compression, payload, fingerprint, writtenAt, freshUntil, generations },
    storageKey,
  );
}

/**
 * Reads an entry, even if its `freshUntil` has passed.
 *
 * @param offset milliseconds by which the storage's clock is ahead of ours: the entry's times are
 *   the storage's, the result's ours
 * @param limit shared by the entries of a batch; by default the entry is alone
 * @param isValid gets the section of generations before the payload is decoded, and returns whether
 *   the entry may be returned; default: an entry without tags may
 * @returns `undefined` if the bytes cannot be read for any reason: that is a miss, not an error
 */
export function decodeEntry(
  serializer: Serializer,
  fingerprint: number,
  storageKey: string,
  bytes: Uint8Array,
  offset: number = 0,
  limit: DecompressionLimit = new DecompressionLimit(),
  isValid: (generations: string | undefined) => boolean = hasNoTags,
): Cached | undefined {
  const envelope = decodeEnvelope(bytes, serializer.codec, fingerprint, storageKey);
  if (envelope === undefined || !isValid(envelope.generations)) return undefined;
  const { compression, payload, writtenAt, freshUntil } = envelope;
  try {
    const plain =
      compression === undefined
        ? payload
        : limit.within(payload.length, largestOf(serializer), (size) =>
            decompress(compression, payload, size),
          );
    return {
      value: serializer.decode(plain),
      writtenAt: writtenAt - offset,
      freshUntil: freshUntil - offset,
    };
  } catch {
    return undefined;
  }
}

function hasNoTags(generations: string | undefined): boolean {
  return generations === undefined;
}

function largestOf(serializer: Serializer): number {
  return serializer.maxDecompressedSize ?? defaultMaxDecompressedSize;
}

/**
 * @param about the node and key to name in an error
 * @throws SerializationError if the serializer cannot carry the value, or fails in any other way
 */
export function pack(serializer: Serializer, value: unknown, about: CachemeErrorDetails = {}): Packed {
  const { codec } = serializer;
  try {
    const plain = serializer.encode(value);
    const { compression } = serializer;
    if (
      compression !== undefined &&
      plain.length >= compression.threshold &&
      plain.length <= largestOf(serializer)
    ) {
      const payload = compression.compress(plain);
      const isReadable = mayDecompress(plain.length, payload.length, largestOf(serializer));
      if (payload.length < plain.length && isReadable)
        return { codec, payload, compression: compression.algorithm };
    }
    return { codec, payload: plain, compression: undefined };
  } catch (error) {
    throw refusal(error, about);
  }
}

function refusal(error: unknown, about: CachemeErrorDetails): SerializationError {
  const subject = about.node === undefined ? "" : `Node ${about.node}: `;
  if (error instanceof SerializationError) {
    return new SerializationError(subject + error.message, error.path, { ...about, cause: error.cause });
  }
  const reason = reasonOf(error);
  return new SerializationError(`${subject}The serializer failed: ${reason}`, "$", {
    ...about,
    cause: error,
  });
}
