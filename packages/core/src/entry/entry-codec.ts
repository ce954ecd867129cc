import { asError, type CachemeErrorDetails, reasonOf, SerializationError } from "../errors.js";
import { decompress } from "../serializer/compressed.js";
import {
  DecompressionLimit,
  defaultMaxDecompressedSize,
  mayDecompress,
} from "../serializer/decompression-limit.js";
import { decodeInPlace, notPlain } from "../serializer/in-place.js";
import { json } from "../serializer/json.js";
import type { CompressionAlgorithm, Serializer } from "../serializer/serializer.js";
import { decodeText, encodeText } from "../serializer/text-beside.js";
import { UnfitValue } from "../serializer/unfit-value.js";
import type { Cached } from "./entry.js";
import {
  decodeEnvelope,
  type EnvelopeFault,
  encodeEnvelope,
  envelopeFault,
  type ReadEnvelope,
} from "./envelope.js";
import { Failure } from "./failure.js";
import { deepFreeze, noteFrozen } from "./freeze.js";

/** A value as bytes, without its times. */
export interface Packed {
  readonly codec: number;
  readonly payload: Uint8Array;
  readonly compression: CompressionAlgorithm | undefined;
  /** Whether it is a {@link Failure} in the place of a value. */
  readonly isError?: boolean | undefined;
  /** The data that the load keeps beside the value. */
  readonly kept?: Uint8Array | undefined;
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
  const { codec, compression, payload, isError, kept } = packed;
  return encodeEnvelope(
    { codec, compression, payload, fingerprint, writtenAt, freshUntil, generations, isError, kept },
    storageKey,
  );
}

/**
 * Reads an entry, even if its `freshUntil` has passed. The value of a cached error is a
 * {@link Failure}.
 *
 * @param offset milliseconds by which the storage's clock is ahead of ours: the entry's times are
 *   the storage's, the result's ours
 * @param limit shared by the entries of a batch; by default the entry is alone
 * @param isValid gets the section of generations before the payload is decoded, and returns whether
 *   the entry may be returned; default: an entry without tags may
 * @param frozen whether the value is frozen deeply
 * @param readsErrors whether a cached error is returned; otherwise it is a miss
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
  frozen: boolean = false,
  readsErrors: boolean = true,
): Cached | undefined {
  const buffer = asBuffer(bytes);
  const envelope = decodeEnvelope(buffer, serializer.codec, fingerprint, storageKey);
  if (envelope === undefined || !isValid(envelope.generations)) return undefined;
  // Taken before the serializer runs, which may be foreign code that reads another envelope.
  const writtenAt = envelope.writtenAt - offset;
  const freshUntil = envelope.freshUntil - offset;
  const { isError, keptStart, payloadStart } = envelope;
  if (isError && !readsErrors) return undefined;
  try {
    const value = isError
      ? failureIn(serializer, storageKey, buffer, envelope)
      : valueIn(serializer, storageKey, buffer, envelope, limit, frozen);
    if (keptStart === 0) return { value, writtenAt, freshUntil };
    const kept = keptIn(serializer, storageKey, buffer.subarray(keptStart, payloadStart));
    return { value, writtenAt, freshUntil, kept };
  } catch {
    return undefined;
  }
}

/** The reason why {@link decodeEntry} returns nothing. */
export interface EntryFault {
  readonly fault: EnvelopeFault | "undecodable" | "schema";
  readonly error: Error | undefined;
}

/**
 * Returns why the bytes cannot be read; `undefined` if they can, so that the entry is not valid for
 * another reason. Decodes the bytes once more: call it seldom.
 */
export function faultOf(
  serializer: Serializer,
  fingerprint: number,
  storageKey: string,
  bytes: Uint8Array,
): EntryFault | undefined {
  const buffer = asBuffer(bytes);
  const fault = envelopeFault(buffer, serializer.codec, fingerprint, storageKey);
  if (fault !== undefined) return { fault, error: undefined };
  const envelope = decodeEnvelope(buffer, serializer.codec, fingerprint, storageKey);
  if (envelope === undefined || envelope.isError) return undefined;
  try {
    valueIn(serializer, storageKey, buffer, envelope, new DecompressionLimit(), false);
    return undefined;
  } catch (thrown) {
    const isUnfit = thrown instanceof UnfitValue;
    return { fault: isUnfit ? "schema" : "undecodable", error: asError(thrown) };
  }
}

function hasNoTags(generations: string | undefined): boolean {
  return generations === undefined;
}

/** @throws the error of the decompression or of the serializer */
function valueIn(
  serializer: Serializer,
  key: string,
  buffer: Buffer,
  { compression, payloadStart, payloadEnd }: ReadEnvelope,
  limit: DecompressionLimit,
  frozen: boolean,
): unknown {
  if (compression === undefined) {
    const value = decodeInPlace(serializer, buffer, payloadStart, payloadEnd, frozen);
    if (value !== notPlain) {
      if (frozen) noteFrozen(value);
      return value;
    }
  }
  const payload = buffer.subarray(payloadStart, payloadEnd);
  const value = serializer.decode(
    compression === undefined ? payload : decompressed(serializer, compression, payload, limit),
    { key },
  );
  return frozen ? deepFreeze(value) : value;
}

/** @throws an error if the payload is not a failure */
function failureIn(
  serializer: Serializer,
  key: string,
  buffer: Buffer,
  { payloadStart, payloadEnd }: ReadEnvelope,
): Failure {
  return Failure.parse(decodeText(serializer, buffer.subarray(payloadStart, payloadEnd), key));
}

/** @throws an error if the data cannot be read */
function keptIn(serializer: Serializer, key: string, kept: Uint8Array): unknown {
  return deepFreeze(json().decode(Buffer.from(decodeText(serializer, kept, key))));
}

function decompressed(
  serializer: Serializer,
  compression: CompressionAlgorithm,
  payload: Uint8Array,
  limit: DecompressionLimit,
): Uint8Array {
  return limit.within(payload.length, largestOf(serializer), (size) =>
    decompress(compression, payload, size),
  );
}

/**
 * Returns the bytes as a Buffer, which reads numbers and strings faster than a plain array of
 * bytes. Most drivers already return Buffers.
 */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function largestOf(serializer: Serializer): number {
  return serializer.maxDecompressedSize ?? defaultMaxDecompressedSize;
}

/**
 * @param storageKey the key of the bytes
 * @param about the node and key to name in an error
 * @throws SerializationError if the serializer cannot carry the value, or fails in any other way
 */
export function pack(
  serializer: Serializer,
  value: unknown,
  storageKey: string,
  about: CachemeErrorDetails = {},
): Packed {
  const { codec } = serializer;
  try {
    if (Failure.is(value)) {
      const payload = encodeText(serializer, value.toText(), storageKey);
      return { codec, payload, compression: undefined, isError: true };
    }
    const plain = serializer.encode(value, { key: storageKey });
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
