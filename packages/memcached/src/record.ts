import type { Answer } from "./answers.js";
import { isHashed } from "./item-name.js";

/*
 * The data of an item is the value's bytes, and its client flags are `2 * length + 1`. Fields may
 * follow the value, and the flags tell where it ends. A lease is one more field: the server appends
 * it in one step, and the value and its times are not sent again.
 *
 *   K  length (2 bytes), key   the whole key, if the item's name is a hash of it
 *   F  number (4 bytes)        fresh while the item is kept for more than so many seconds
 *   V  number                  the value exists while the item is kept for more than so many seconds
 *   L  number                  leased while the item is kept for more than so many seconds; the last field counts
 *   T  number (8 bytes)        the lease of the field before was extended, and this is the number in its token
 *
 * Times are seconds before the item's end. The server counts them down on its own clock and sends
 * them with each answer (`t`), so no clock of a client is ever in them. An item without flags and
 * without bytes is a lease alone. The server makes it (`N`), or a client writes it, and it is
 * leased as long as it exists.
 */

const fieldOfKey = 0x4b;
const fieldOfFreshness = 0x46;
const fieldOfValue = 0x56;
const fieldOfLease = 0x4c;
const fieldOfToken = 0x54;

/** Seconds before the item's end that never come, for a lease that was released. */
export const never: number = 2 ** 32 - 1;

const timeFieldLength = 5;
const tokenFieldLength = 9;
/** The bytes of a field of the key before the key itself. */
const keyHead = 3;

/** The bytes of an extended lease and of the value's end, which each value leaves free in its item. */
export const leaseLength: number = 2 * timeFieldLength + tokenFieldLength;

/** The item of a key on its server. */
export interface Item {
  /** `undefined` if there is no value, or it has expired. */
  readonly bytes: Uint8Array | undefined;
  readonly isFresh: boolean;
  readonly isLeased: boolean;
  /** Seconds until the server drops the item, at least 1. */
  readonly left: number;
  readonly cas: string;
  /** The CAS number in the token of a lease that was extended. Empty for every other lease. */
  readonly extended: string;
  /** Seconds before the item's end at which the value becomes stale, and at which it expires. */
  readonly staleAt: number;
  readonly goneAt: number;
}

/** Returns only the bytes of a value, for reads. */
export function bytesOf(answer: Answer, name: string, key: string): Uint8Array | undefined {
  const { bytes, flags } = answer;
  if (bytes === undefined) return undefined;
  if (flags === 2 * bytes.length + 1 && !isHashed(name)) return bytes;
  return itemOf(answer, name, key).bytes;
}

/** Returns whether an item has no times and no lease. Asks for the flags and the size alone. */
export function hasValueOnly({ flags, size }: Answer, name: string, key: string): boolean {
  const behind = isHashed(name) ? keyHead + Buffer.byteLength(key) : 0;
  return flags === 2 * (size - behind) + 1;
}

/** @param answer with the value, the flags and the time that is left */
export function itemOf(answer: Answer, name: string, key: string): Item {
  const data = answer.bytes ?? Buffer.alloc(0);
  const { flags, cas } = answer;
  const left = answer.left < 0 ? never - 1 : answer.left;
  const length = (flags - 1) / 2;
  const isOurs = flags % 2 === 1 && length <= data.length;
  const fields = isOurs ? fieldsOf(data, length) : undefined;
  // An empty item is a lease alone, and another one is an item of another program.
  if (fields === undefined || (isHashed(name) && fields.key !== key)) {
    const isLeased = data.length === 0 && flags === 0;
    const [staleAt, goneAt, extended] = [never, never, ""];
    return { bytes: undefined, isFresh: false, isLeased, left, cas, extended, staleAt, goneAt };
  }
  const { staleAt, goneAt, leaseEnd, extended } = fields;
  // A view whose buffer is hardly larger than the value.
  const bytes = left > goneAt ? data.subarray(0, length) : undefined;
  const isFresh = bytes !== undefined && left > staleAt;
  return { bytes, isFresh, isLeased: left > leaseEnd, left, cas, extended, staleAt, goneAt };
}

/** Reads the fields. `undefined` if the bytes behind the value are not fields. */
function fieldsOf(data: Buffer, start: number) {
  // No spread here: it costs more than all else.
  const found = { key: "", staleAt: 0, goneAt: 0, leaseEnd: never, extended: "" };
  let at = start;
  while (at < data.length) {
    const field = data[at];
    if (field === fieldOfKey && at + keyHead <= data.length) {
      const end = at + keyHead + data.readUInt16BE(at + 1);
      found.key = data.toString("utf8", at + keyHead, end);
      at = end;
      continue;
    }
    if (field === fieldOfToken && at + tokenFieldLength <= data.length) {
      found.extended = String(data.readBigUInt64BE(at + 1));
      at += tokenFieldLength;
      continue;
    }
    if (at + timeFieldLength > data.length) return undefined;
    const seconds = data.readUInt32BE(at + 1);
    if (field === fieldOfFreshness) found.staleAt = seconds;
    else if (field === fieldOfValue) found.goneAt = seconds;
    else if (field === fieldOfLease) Object.assign(found, { leaseEnd: seconds, extended: "" });
    else return undefined;
    at += timeFieldLength;
  }
  return found;
}

/** The client flags and the pieces of an item's data. */
export interface ItemData {
  readonly flags: number;
  readonly pieces: readonly Uint8Array[];
  readonly length: number;
}

/** @param times seconds before the item's end. A time that is left out is the end itself */
export function itemData(
  name: string,
  key: string,
  bytes: Uint8Array,
  times: { readonly staleAt?: number; readonly goneAt?: number } = {},
  lease: readonly Uint8Array[] = [],
): ItemData {
  const pieces = [bytes];
  if (isHashed(name)) pieces.push(keyField(key));
  if (times.staleAt) pieces.push(timeField(fieldOfFreshness, times.staleAt));
  if (times.goneAt) pieces.push(timeField(fieldOfValue, times.goneAt));
  pieces.push(...lease);
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return { flags: 2 * bytes.length + 1, pieces, length };
}

/** Returns the bytes of a lease until an end, and the number in the token of an extended lease. */
export function leaseFields(leaseEnd: number, extended = ""): readonly Buffer[] {
  const lease = timeField(fieldOfLease, leaseEnd);
  if (extended === "") return [lease];
  const token = Buffer.alloc(tokenFieldLength);
  token[0] = fieldOfToken;
  token.writeBigUInt64BE(BigInt(extended), 1);
  return [lease, token];
}

function timeField(field: number, seconds: number): Buffer {
  const bytes = Buffer.alloc(timeFieldLength);
  bytes[0] = field;
  bytes.writeUInt32BE(seconds, 1);
  return bytes;
}

function keyField(key: string): Buffer {
  const text = Buffer.from(key);
  const bytes = Buffer.alloc(keyHead + text.length);
  bytes[0] = fieldOfKey;
  bytes.writeUInt16BE(text.length, 1);
  text.copy(bytes, keyHead);
  return bytes;
}
