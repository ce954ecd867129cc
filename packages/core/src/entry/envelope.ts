import { xxh32 } from "../hash.js";
import type { CompressionAlgorithm } from "../serializer/serializer.js";

/*
 * Format 2, all numbers big-endian:
 *
 *    0  uint8    format: 2
 *    1  uint8    flags: bits 0 to 2 compression (0 none, 1 gzip, 2 deflate, 3 brotli), bit 3 "has generations",
 *                bits 4 to 7 reserved
 *    2  uint8    codec of the payload
 *    3  uint8    reserved: 0
 *    4  uint32   fingerprint of the node class
 *    8  uint32   xxh32 of all that follows, seeded with the xxh32 of the storage key, seeded with the first four bytes read
 *                as a uint32
 *   12  float64  written-at, milliseconds since the epoch
 *   20  float64  fresh-until, the same; Infinity where it has no ttl
 *   28           only if "has generations": uint16 length of the section, then the section
 *                payload, to the end
 *
 * A reader that does not know a bit that is set must take the entry for a miss: what it does not understand may be what makes
 * the entry invalid. So this reader, which knows no generations, misses entries that carry them rather than skip the section.
 *
 * The checksum makes torn writes and foreign bytes a miss, and so bytes that were moved or copied to another key: an entry is
 * bound to its key. It costs a quarter of a microsecond for a small entry.
 */
const format = 2;
const headerLength = 28;
const checkedFrom = 12;
const compressionBits = 0b0000_0111;

const compressionCodes: Readonly<Record<CompressionAlgorithm, number>> = { gzip: 1, deflate: 2, brotli: 3 };
const compressionByCode: readonly (CompressionAlgorithm | undefined)[] = [
  undefined,
  "gzip",
  "deflate",
  "brotli",
];

/** What a stored entry consists of. It knows nothing of nodes or values. */
export interface Envelope {
  /** The serializer's number. */
  readonly codec: number;
  /** See {@link classFingerprint}. */
  readonly fingerprint: number;
  /** How the payload is compressed; `undefined` where it is not. */
  readonly compression: CompressionAlgorithm | undefined;
  /** Milliseconds since the epoch. */
  readonly writtenAt: number;
  /** Milliseconds since the epoch, or `Infinity`. */
  readonly freshUntil: number;
  readonly payload: Uint8Array;
}

/** What an entry must be marked with for the reader to understand it. */
export interface Expected {
  readonly codec: number;
  readonly fingerprint: number;
}

/**
 * Returns the bytes to store. The payload is copied.
 *
 * @param key the whole key under which the storage keeps them
 */
export function encodeEnvelope(envelope: Envelope, key: string): Uint8Array {
  const { payload, compression } = envelope;
  const bytes = Buffer.allocUnsafe(headerLength + payload.length);
  bytes[0] = format;
  bytes[1] = compression === undefined ? 0 : compressionCodes[compression];
  bytes[2] = envelope.codec;
  bytes[3] = 0;
  bytes.writeUInt32BE(envelope.fingerprint, 4);
  bytes.writeDoubleBE(envelope.writtenAt, 12);
  bytes.writeDoubleBE(envelope.freshUntil, 20);
  bytes.set(payload, headerLength);
  bytes.writeUInt32BE(checksum(bytes, key), 8);
  return bytes;
}

/**
 * What the bytes hold, the payload as a view of them; `undefined` for anything that is not a whole envelope of this format,
 * with this codec and fingerprint, written under this key. Never throws.
 */
export function decodeEnvelope(bytes: Uint8Array, expected: Expected, key: string): Envelope | undefined {
  if (bytes.length < headerLength || bytes[0] !== format || bytes[2] !== expected.codec || bytes[3] !== 0) {
    return undefined;
  }
  const flags = bytes[1] ?? 0;
  const compression = compressionByCode[flags & compressionBits];
  if ((flags & ~compressionBits) !== 0 || (compression === undefined && flags !== 0)) return undefined;

  const buffer = asBuffer(bytes);
  if (buffer.readUInt32BE(4) !== expected.fingerprint || buffer.readUInt32BE(8) !== checksum(buffer, key))
    return undefined;

  const writtenAt = buffer.readDoubleBE(12);
  const freshUntil = buffer.readDoubleBE(20);
  if (!Number.isFinite(writtenAt) || Number.isNaN(freshUntil)) return undefined;

  return {
    codec: expected.codec,
    fingerprint: expected.fingerprint,
    compression,
    writtenAt,
    freshUntil,
    payload: buffer.subarray(headerLength),
  };
}

/**
 * A stable number for a node class and its version, 32 bits. It is a second line of defence behind the key: an entry that was
 * written under the same key by a class of another name or version is a miss. FNV-1a over the UTF-16 code units of
 * `name:version`, low byte first.
 */
export function classFingerprint(name: string, version: number | string): number {
  const text = `${name}:${version}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash >>> 0;
}

function checksum(bytes: Buffer, key: string): number {
  return xxh32(bytes.subarray(checkedFrom), xxh32(key, bytes.readUInt32BE(0)));
}

/** Buffers read numbers and text faster than plain arrays of bytes; most drivers hand out Buffers already. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
