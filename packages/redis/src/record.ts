import type { StoredRecord } from "cacheme/driver";

/**
 * What stands under a key: a header of 42 bytes, and the bytes that were given.
 *
 * | offset | bytes | what                                                                                         |
 * | ------ | ----- | -------------------------------------------------------------------------------------------- |
 * | 0      | 1     | `0xCA`: it is ours                                                                           |
 * | 1      | 1     | the layout's version (upper half) and what there is: bytes (1), a fresh-until (2)             |
 * | 2      | 8     | a double: with a fresh-until, the time until which the bytes are fresh; else how many ms before their end they become stale |
 * | 10     | 8     | a double: when the bytes end, 0 where they end with the key                                  |
 * | 18     | 8     | a double: when the lease ends, 0 where there is none                                         |
 * | 26     | 16    | the lease's token                                                                            |
 *
 * Times are milliseconds since the epoch on the server's clock. A plain SET cannot know that clock, so the bytes' freshness is
 * told from the key's own time to live: what is to be fresh for 10 of 60 seconds becomes stale 50 seconds before its end. Only
 * bytes without an end that become stale need a fresh-until, which a script writes.
 *
 * The bytes' end is the key's, but while a lease outlasts them: the key is kept until the lease ends then, and a read asks the
 * server whether the bytes are over ({@link BytesEnd}).
 *
 * All of it is of one length, so that a lease is taken and given back by writing over the header, whatever the bytes' length.
 */
export const headerLength = 42;

const magic = 0xca;
const withBytes = 0x11;
const freshUntil = 0x02;

/** What {@link bytesOf} tells of a record whose bytes may be over: only the server knows. */
export const inDoubt: unique symbol = Symbol("in doubt");

/** The bytes of a record without a copy, `undefined` where there are none: a lease alone, or something of another program. */
export function bytesOf(stored: Buffer | null): Buffer | undefined | typeof inDoubt {
  if (stored === null || stored.length < headerLength || stored[0] !== magic) return undefined;
  const kind = stored[1] ?? 0;
  if ((kind & ~freshUntil) !== withBytes) return undefined;
  // A double that is 0 has no bit set, and one that is a time has some in its first two bytes.
  if (stored[10] !== 0 || stored[11] !== 0) return inDoubt;
  return stored.subarray(headerLength);
}

/** The records of a batch, in one piece of memory: a small Buffer each would cost more than the copy. */
export function packed(records: readonly StoredRecord[]): Buffer[] {
  let length = 0;
  for (const { bytes } of records) length += headerLength + bytes.length;
  // Zeros where a header has nothing to say.
  const all = Buffer.alloc(length);
  let start = 0;
  return records.map(({ bytes, ttl, freshFor }) => {
    const from = start;
    start += headerLength + bytes.length;
    all[from] = magic;
    all[from + 1] = withBytes;
    if (ttl !== undefined && freshFor !== undefined && freshFor < ttl) {
      // What is to be stale at once is stale: its ttl has begun to run out by the time that the server is asked.
      all.writeDoubleBE(ttl - freshFor, from + 2);
    }
    all.set(bytes, from + headerLength);
    return all.subarray(from, start);
  });
}
