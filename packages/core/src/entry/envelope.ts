import { hashOf } from "../hash.js";
import type { CompressionAlgorithm } from "../serializer/serializer.js";

/*
 * Format 2, all numbers big-endian except the checksum:
 *
 * | from | type | what |
 * | --- | --- | --- |
 * | 0 | uint8 | format: 2 |
 * | 1 | uint8 | flags, see below |
 * | 2 | uint8 | codec of the payload |
 * | 3 | uint8 | reserved: 0 |
 * | 4 | uint32 | fingerprint of the node class |
 * | 8 | float64 | written-at, milliseconds since the epoch |
 * | 16 | float64 | fresh-until, the same; Infinity if it has no ttl |
 * | 24 | uint16 | only if "has generations": the length of the section, then the section |
 * | … | bytes | payload |
 * | -4 | uint32 | little-endian: CRC-32 of all bytes before it, begun with the storage key's hash |
 *
 * Flags: bits 0 to 2 compression (0 none, 1 gzip, 2 deflate, 3 brotli), bit 3 "has generations",
 * bit 4 "is an error", bit 5 "has kept data", bits 6 and 7 reserved.
 *
 * With "has kept data", a uint16 with their length and the data are between that section and the
 * payload. Kept data, and the payload of an error, are a JSON text in the codec of the payload.
 *
 * The section is UTF-8: tag, line feed, id of its generation, line feed, next tag, and so on.
 *
 * A reader that finds an unknown bit must treat the entry as a miss, because the bit may invalidate
 * it.
 *
 * The checksum turns torn writes and foreign bytes into a miss. It also binds an entry to its key:
 * bytes that were moved or copied to another key are a miss. CRC-32 is built into Node.js. The
 * checksum is at the end because a CRC-32 that includes itself is a constant. So a reader checks
 * the bytes in one call and without a view of a part of them.
 */
const format = 2;
const headerLength = 24;
const trailerLength = 4;
/** The CRC-32 of any bytes followed by their own CRC-32. */
const residue = 0x2144df1c;
const compressionBits = 0b0000_0111;
const generationsBit = 0b0000_1000;
const errorBit = 0b0001_0000;
const keptBit = 0b0010_0000;
const knownBits = compressionBits | generationsBit | errorBit | keptBit;
/** The bytes of the number before the section of generations, and of that before kept data. */
const sectionHeader = 2;

const compressionCodes: Readonly<Record<CompressionAlgorithm, number>> = { gzip: 1, deflate: 2, brotli: 3 };
const compressionByCode: readonly (CompressionAlgorithm | undefined)[] = [
  undefined,
  "gzip",
  "deflate",
  "brotli",
];

/** The parts of a stored entry, without nodes or values. */
export interface Envelope {
  /** The serializer's number. */
  readonly codec: number;
  /** The result of {@link classFingerprint}. */
  readonly fingerprint: number;
  /** The compression of the payload; `undefined` if it is not compressed. */
  readonly compression: CompressionAlgorithm | undefined;
  /** Milliseconds since the epoch. */
  readonly writtenAt: number;
  /** Milliseconds since the epoch, or `Infinity`. */
  readonly freshUntil: number;
  /** The section of generations; `undefined` if the entry has no tags. */
  readonly generations?: string | undefined;
  /** Whether the payload is the error of a load. */
  readonly isError?: boolean | undefined;
  /** The data that the load keeps beside the value. */
  readonly kept?: Uint8Array | undefined;
  readonly payload: Uint8Array;
}

/** The parts of an envelope that was read. The payload is the bytes from its start to its end. */
export interface ReadEnvelope extends Omit<Envelope, "codec" | "fingerprint" | "kept" | "payload"> {
  readonly isError: boolean;
  /** The place where the kept data begin; they end where the payload begins. 0 without any. */
  readonly keptStart: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** The parts of the envelope that was read last. An object for each would be a tenth of a read's memory. */
const lastRead: { -readonly [part in keyof ReadEnvelope]-?: ReadEnvelope[part] } = {
  compression: undefined,
  writtenAt: 0.5,
  freshUntil: 0.5,
  generations: undefined,
  isError: false,
  keptStart: 0,
  payloadStart: 0,
  payloadEnd: 0,
};

/**
 * Returns the bytes to store. The payload is copied.
 *
 * @param key the whole key under which the storage keeps them
 * @throws RangeError if the generations or the kept data have more than 65,535 bytes
 */
export function encodeEnvelope(envelope: Envelope, key: string): Uint8Array {
  const { codec, compression, payload, fingerprint, writtenAt, freshUntil, generations, kept } = envelope;
  const section = generations === undefined ? 0 : sectionHeader + Buffer.byteLength(generations);
  const beforeKept = headerLength + section;
  const start = beforeKept + (kept === undefined ? 0 : sectionHeader + kept.length);
  const end = start + payload.length;
  const bytes = Buffer.allocUnsafe(end + trailerLength);
  bytes[0] = format;
  bytes[1] = compression === undefined ? 0 : compressionCodes[compression];
  bytes[2] = codec;
  bytes[3] = 0;
  bytes.writeUInt32BE(fingerprint, 4);
  bytes.writeDoubleBE(writtenAt, 8);
  bytes.writeDoubleBE(freshUntil, 16);
  if (generations !== undefined) {
    bytes[1] |= generationsBit;
    bytes.writeUInt16BE(section - sectionHeader, headerLength);
    bytes.write(generations, headerLength + sectionHeader, "utf8");
  }
  if (envelope.isError === true) bytes[1] |= errorBit;
  if (kept !== undefined) {
    bytes[1] |= keptBit;
    bytes.writeUInt16BE(kept.length, beforeKept);
    bytes.set(kept, beforeKept + sectionHeader);
  }
  bytes.set(payload, start);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end), hashOf(key)), end);
  return bytes;
}

/**
 * Returns the bytes with their freshness ended at the latest at this time, on the clock of their
 * times; `undefined` if they are no envelope that was written under this key.
 */
export function retimed(
  given: Uint8Array,
  key: string,
  latest: number,
): { readonly bytes: Uint8Array; readonly freshUntil: number } | undefined {
  const bytes = Buffer.from(given);
  const end = bytes.length - trailerLength;
  if (end < headerLength || bytes[0] !== format || crc32(bytes, hashOf(key)) !== residue) return undefined;
  const freshUntil = Math.min(bytes.readDoubleBE(16), latest);
  bytes.writeDoubleBE(freshUntil, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end), hashOf(key)), end);
  return { bytes, freshUntil };
}

/**
 * Reads an envelope, without a view of its payload. Never throws.
 *
 * @returns the parts, until the next call; `undefined` unless the bytes are a whole envelope of this
 *   format, with this codec and fingerprint, written under this key
 */
export function decodeEnvelope(
  buffer: Buffer,
  codec: number,
  fingerprint: number,
  key: string,
): ReadEnvelope | undefined {
  const payloadEnd = buffer.length - trailerLength;
  if (payloadEnd < headerLength || buffer[0] !== format || buffer[2] !== codec || buffer[3] !== 0)
    return undefined;
  const flags = buffer[1] ?? 0;
  const compressionCode = flags & compressionBits;
  const compression = compressionByCode[compressionCode];
  const isUnknown = compression === undefined && compressionCode !== 0;
  if ((flags & ~knownBits) !== 0 || isUnknown) return undefined;

  if (buffer.readUInt32BE(4) !== fingerprint || crc32(buffer, hashOf(key)) !== residue) return undefined;

  const writtenAt = buffer.readDoubleBE(8);
  const freshUntil = buffer.readDoubleBE(16);
  if (!Number.isFinite(writtenAt) || Number.isNaN(freshUntil)) return undefined;

  let payloadStart = headerLength;
  let generations: string | undefined;
  if ((flags & generationsBit) !== 0) {
    const from = headerLength + sectionHeader;
    if (from > payloadEnd) return undefined;
    payloadStart = from + buffer.readUInt16BE(headerLength);
    if (payloadStart > payloadEnd) return undefined;
    generations = buffer.toString("utf8", from, payloadStart);
  }
  let keptStart = 0;
  if ((flags & keptBit) !== 0) {
    keptStart = payloadStart + sectionHeader;
    if (keptStart > payloadEnd) return undefined;
    payloadStart = keptStart + buffer.readUInt16BE(payloadStart);
    if (payloadStart > payloadEnd) return undefined;
  }
  lastRead.compression = compression;
  lastRead.writtenAt = writtenAt;
  lastRead.freshUntil = freshUntil;
  lastRead.generations = generations;
  lastRead.isError = (flags & errorBit) !== 0;
  lastRead.keptStart = keptStart;
  lastRead.payloadStart = payloadStart;
  lastRead.payloadEnd = payloadEnd;
  return lastRead;
}

/** Returns the fingerprint in an envelope's bytes; `undefined` if they are too short. */
export function fingerprintIn(bytes: Uint8Array): number | undefined {
  if (bytes.length < headerLength) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4);
}

/** The reason why {@link decodeEnvelope} returns nothing. */
export type EnvelopeFault = "format" | "serializer" | "class" | "corrupt";

/** Returns why the bytes are not an envelope that can be read here; `undefined` if they are one. */
export function envelopeFault(
  buffer: Buffer,
  codec: number,
  fingerprint: number,
  key: string,
): EnvelopeFault | undefined {
  if (decodeEnvelope(buffer, codec, fingerprint, key) !== undefined) return undefined;
  if (buffer.length < headerLength + trailerLength || buffer[0] !== format) return "format";
  if (crc32(buffer, hashOf(key)) !== residue) return "corrupt";
  if (buffer.readUInt32BE(4) !== fingerprint) return "class";
  return buffer[2] === codec ? "format" : "serializer";
}

/**
 * Returns a stable number for a node class and its version, 32 bits. It is a second line of defence
 * behind the key. An entry that a class of another name or version wrote under the same key is a
 * miss. FNV-1a over the UTF-16 code units of `name:version`, low byte first.
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

/**
 * Returns the CRC-32 of ISO 3309, as zip and gzip have it. Loads the module with the first entry.
 */
function crc32(bytes: Uint8Array, start: number): number {
  native ??= process.getBuiltinModule("node:zlib").crc32;
  return native(bytes, start);
}

let native: ((bytes: Uint8Array, start: number) => number) | undefined;
