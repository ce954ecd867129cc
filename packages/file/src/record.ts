import type { Stats } from "node:fs";
import { crc32 } from "node:zlib";
import type { StoredRecord } from "cacheme/driver";
import { after, now } from "./clock.js";
import { inDoubt } from "./disk.js";

/**
 * The content of a file, in order (numbers little-endian):
 *
 * | bytes | what |
 * | --- | --- |
 * | 4 | `CMF1`: whose it is, and the version of this form |
 * | 4 | CRC-32 of all that follows |
 * | 8 | until when it is kept, milliseconds since the epoch, as a double |
 * | 8 | until when it is fresh, likewise |
 * | 4 | length of the key in bytes |
 * | 4 | length of the value in bytes |
 * | … | the key as UTF-8, then the value |
 *
 * Anything else, and anything that was cut off, is no record.
 */
export interface Kept {
  readonly expires: number;
  readonly fresh: number;
  readonly bytes: Uint8Array;
}

/** The facts of a record without its value. */
export interface Heading {
  readonly key: string;
  readonly expires: number;
}

/**
 * Returns a record or a heading with its end. A touch has moved it if the file's time of change is
 * later than the last change of its facts: no write leaves such a time, whatever the clocks are.
 *
 * @param facts of the file; without them the answer is {@link inDoubt} for a record that has ended
 */
export function lasting<Ended extends { readonly expires: number; readonly fresh?: number }>(
  record: Ended,
  facts: Stats | undefined,
): Ended | typeof inDoubt {
  if (record.expires > now()) return record;
  if (facts === undefined) return inDoubt;
  const expires = endOf(record, facts);
  return { ...record, expires, ...(record.fresh === record.expires && { fresh: expires }) };
}

/** Returns the end of a record in whole milliseconds. */
export function endOf({ expires }: { readonly expires: number }, { mtimeMs, ctimeMs }: Stats): number {
  return mtimeMs > ctimeMs ? Math.max(expires, Math.floor(mtimeMs)) : expires;
}

/** Bytes before the key. */
const headLength = 32;

/** Up to here a copy of the value costs less than a further call of the file system. */
const copied = 64 * 1024;

const magic = 0x31_46_4d_43;

/** Returns the content of a record's file. */
export function keptOf({ bytes, ttl, freshFor }: StoredRecord): Kept {
  const expires = after(ttl);
  return { expires, fresh: freshFor === undefined ? expires : after(freshFor), bytes };
}

/** The parts of the file, to be written one after the other. */
export function encode(key: string, { expires, fresh, bytes }: Kept): readonly Uint8Array[] {
  const keyLength = Buffer.byteLength(key);
  const isCopied = bytes.length <= copied;
  const head = Buffer.allocUnsafe(headLength + keyLength + (isCopied ? bytes.length : 0));
  head.writeUInt32LE(magic, 0);
  head.writeDoubleLE(expires, 8);
  head.writeDoubleLE(fresh, 16);
  head.writeUInt32LE(keyLength, 24);
  head.writeUInt32LE(bytes.length, 28);
  head.write(key, headLength);
  if (isCopied) head.set(bytes, headLength + keyLength);
  const checked = crc32(head.subarray(8));
  head.writeUInt32LE(isCopied ? checked : crc32(bytes, checked), 4);
  return isCopied ? [head] : [head, bytes];
}

/** The length of the file that begins like this, 0 where it is none of ours. */
export function lengthOf(file: Buffer): number {
  if (file.length < headLength || file.readUInt32LE(0) !== magic) return 0;
  return headLength + file.readUInt32LE(24) + file.readUInt32LE(28);
}

/** Returns the record if it is one of this key. The value of a shared content is copied. */
export function decode(file: Buffer, key: string, isShared: boolean): Kept | undefined {
  const length = lengthOf(file);
  if (length === 0 || length !== file.length) return undefined;
  const from = headLength + file.readUInt32LE(24);
  if (from > file.length || file.toString("utf8", headLength, from) !== key) return undefined;
  if (crc32(file.subarray(8)) !== file.readUInt32LE(4)) return undefined;
  const bytes = isShared ? new Uint8Array(file.subarray(from)) : file.subarray(from);
  return { expires: file.readDoubleLE(8), fresh: file.readDoubleLE(16), bytes };
}

/** Reads the heading from the beginning of a file. */
export function headingOf(file: Buffer): Heading | undefined {
  if (lengthOf(file) === 0) return undefined;
  const end = headLength + file.readUInt32LE(24);
  if (end > file.length) return undefined;
  return { key: file.toString("utf8", headLength, end), expires: file.readDoubleLE(8) };
}

/** Reads the heading, with the end to which a touch has moved it. */
export function headingIn(
  file: Buffer,
  _isShared: boolean,
  facts?: Stats,
): Heading | undefined | typeof inDoubt {
  const heading = headingOf(file);
  return heading && lasting(heading, facts);
}
