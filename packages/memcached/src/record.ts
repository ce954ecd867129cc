import type { Answer } from "./answers.js";
import { isHashed } from "./item-name.js";

/*
 * An item on a server is the value's bytes and nothing else, and its client flags are `2 * length + 1`. Where more is to
 * be said, fields stand behind the value; the flags tell where it ends. A lease is one more field: the server appends it
 * in one step, without the value and its time being sent again.
 *
 *   K  length (2 bytes), key   the whole key, where the item's name is a hash of it
 *   F  number (4 bytes)        fresh while the item is kept for more than so many seconds
 *   V  number                  the value is there while the item is kept for more than so many seconds
 *   L  number                  leased while the item is kept for more than so many seconds; the last one counts
 *
 * Times are told as seconds before the item's end, which the server counts down on its own clock and tells with each
 * answer (`t`). So no clock of a client is ever in them. An item without flags and without bytes is a lease alone, made by
 * the server (`N`) or written so: it is leased as long as it is there.
 */

const fieldOfKey = 0x4b;
const fieldOfFreshness = 0x46;
const fieldOfValue = 0x56;
const fieldOfLease = 0x4c;

/** Seconds before the item's end that never come: the lease was given back. */
const never = 2 ** 32 - 1;

/** What is added to an item for a lease, and how much room a value must leave for it. */
export const leaseFieldLength = 5;

/** What one server says of one key. */
export interface Item {
  /** `undefined` where there are none, or none any more. */
  readonly bytes: Uint8Array | undefined;
  readonly isFresh: boolean;
  readonly isLeased: boolean;
  /** Seconds until the server drops the item, at least 1. */
  readonly left: number;
  readonly cas: string;
  /** Seconds before the item's end at which the value is stale, and at which it is no more. */
  readonly staleAt: number;
  readonly goneAt: number;
}

/** Only the bytes of a value, for those who just read. */
export function bytesOf(answer: Answer, name: string, key: string): Uint8Array | undefined {
  const { bytes, flags } = answer;
  if (bytes === undefined) return undefined;
  if (flags === 2 * bytes.length + 1 && !isHashed(name)) return bytes;
  return itemOf(answer, name, key).bytes;
}

/** @param answer has the value, the flags and the time that is left */
export function itemOf(answer: Answer, name: string, key: string): Item {
  const data = answer.bytes ?? Buffer.alloc(0);
  const { flags, cas } = answer;
  const left = answer.left < 0 ? never - 1 : answer.left;
  const length = (flags - 1) / 2;
  const isOurs = flags % 2 === 1 && length <= data.length;
  const fields = isOurs ? fieldsOf(data, length) : undefined;
  // Something else: a lease alone where it is empty, else an item of another program.
  if (fields === undefined || (isHashed(name) && fields.key !== key)) {
    const isLeased = data.length === 0 && flags === 0;
    return { bytes: undefined, isFresh: false, isLeased, left, cas, staleAt: never, goneAt: never };
  }
  const { staleAt, goneAt, leaseEnd } = fields;
  const isThere = left > goneAt;
  return {
    // A view of hardly more than the value itself.
    bytes: isThere ? data.subarray(0, length) : undefined,
    isFresh: isThere && left > staleAt,
    isLeased: left > leaseEnd,
    left,
    cas,
    staleAt,
    goneAt,
  };
}

interface Fields {
  readonly key: string | undefined;
  readonly staleAt: number;
  readonly goneAt: number;
  readonly leaseEnd: number;
}

/** `undefined` where what stands behind the value is not ours. */
function fieldsOf(data: Buffer, start: number): Fields | undefined {
  let key: string | undefined;
  const times = { staleAt: 0, goneAt: 0, leaseEnd: never };
  let at = start;
  while (at < data.length) {
    const field = data[at];
    if (field === fieldOfKey && at + 3 <= data.length) {
      const end = at + 3 + data.readUInt16BE(at + 1);
      key = data.toString("utf8", at + 3, end);
      at = end;
      continue;
    }
    if (at + leaseFieldLength > data.length) return undefined;
    const seconds = data.readUInt32BE(at + 1);
    if (field === fieldOfFreshness) times.staleAt = seconds;
    else if (field === fieldOfValue) times.goneAt = seconds;
    else if (field === fieldOfLease) times.leaseEnd = seconds;
    else return undefined;
    at += leaseFieldLength;
  }
  return { key, ...times };
}

/** How an item is to be written: the client flags and the pieces of its data. */
export interface ItemData {
  readonly flags: number;
  readonly pieces: readonly Uint8Array[];
  readonly length: number;
}

/**
 * @param times seconds before the item's end; what is left out is its end itself
 */
export function itemData(
  name: string,
  key: string,
  bytes: Uint8Array,
  times: { readonly staleAt?: number; readonly goneAt?: number; readonly leaseEnd?: number } = {},
): ItemData {
  const pieces = [bytes];
  if (isHashed(name)) pieces.push(keyField(key));
  if (times.staleAt) pieces.push(timeField(fieldOfFreshness, times.staleAt));
  if (times.goneAt) pieces.push(timeField(fieldOfValue, times.goneAt));
  if (times.leaseEnd !== undefined) pieces.push(timeField(fieldOfLease, times.leaseEnd));
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return { flags: 2 * bytes.length + 1, pieces, length };
}

/** What is appended to an item to lease it until it is kept for no more than so many seconds. */
export function leaseField(leaseEnd: number): Buffer {
  return timeField(fieldOfLease, leaseEnd);
}

/** What is appended to an item to give its lease back. */
export function noLeaseField(): Buffer {
  return timeField(fieldOfLease, never);
}

function timeField(field: number, seconds: number): Buffer {
  const bytes = Buffer.alloc(leaseFieldLength);
  bytes[0] = field;
  bytes.writeUInt32BE(seconds, 1);
  return bytes;
}

function keyField(key: string): Buffer {
  const text = Buffer.from(key);
  const bytes = Buffer.alloc(3 + text.length);
  bytes[0] = fieldOfKey;
  bytes.writeUInt16BE(text.length, 1);
  text.copy(bytes, 3);
  return bytes;
}
