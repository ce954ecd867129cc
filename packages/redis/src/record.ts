import type { StoredRecord } from "cacheme/driver";

/**
 * The string under a key: a header of 42 bytes, and the bytes of the record.
 *
 * | offset | bytes | content                                                                                      |
 * | ------ | ----- | -------------------------------------------------------------------------------------------- |
 * | 0      | 1     | `0xCA`, which marks a record of this storage                                                 |
 * | 1      | 1     | the layout's version (upper half), and flags: has bytes (1), has a fresh-until (2)           |
 * | 2      | 8     | a double: the time until which the bytes are fresh, if there is a fresh-until; otherwise the number of ms before their end at which they become stale |
 * | 10     | 8     | a double: the time at which the bytes expire, 0 if they expire with the key                  |
 * | 18     | 8     | a double: the time at which the lease ends, 0 if there is no lease                           |
 * | 26     | 16    | the lease's token                                                                            |
 *
 * Times are milliseconds since the epoch on the server's clock. A plain SET cannot know that clock,
 * so freshness is measured by the key's remaining ttl: bytes that are fresh for 10 of 60 seconds
 * become stale 50 seconds before their end. Only bytes that never expire but become stale need a
 * fresh-until, which a script writes.
 *
 * The bytes expire with the key, unless a lease outlasts them. Then the key is kept until the lease
 * ends, and a read asks the server whether the bytes have expired ({@link inDoubt}).
 *
 * The header has a fixed length, so a script acquires and releases a lease by writing over it,
 * whatever the bytes' length.
 */
export const headerLength = 42;

const magic = 0xca;
const withBytes = 0x11;
const freshUntil = 0x02;

/** The answer of {@link bytesOf} for bytes that may have expired: only the server knows. */
export const inDoubt: unique symbol = Symbol("in doubt");

/** Returns a record's bytes without a copy, or `undefined` if it has no bytes or is foreign. */
export function bytesOf(stored: Buffer | null): Buffer | undefined | typeof inDoubt {
  if (stored === null || stored.length < headerLength || stored[0] !== magic) return undefined;
  const kind = stored[1] ?? 0;
  if ((kind & ~freshUntil) !== withBytes) return undefined;
  // A double of 0 has no bit set, and one of a time has some in its first two bytes.
  if (stored[10] !== 0 || stored[11] !== 0) return inDoubt;
  return stored.subarray(headerLength);
}

/** Encodes a batch in one piece of memory, because many small Buffers would cost more. */
export function packed(records: readonly StoredRecord[]): Buffer[] {
  let length = 0;
  for (const { bytes } of records) length += headerLength + bytes.length;
  // The fields that are not set are 0.
  const all = Buffer.alloc(length);
  let start = 0;
  return records.map(({ bytes, ttl, freshFor }) => {
    const from = start;
    start += headerLength + bytes.length;
    all[from] = magic;
    all[from + 1] = withBytes;
    if (ttl !== undefined && freshFor !== undefined && freshFor < ttl) {
      // Bytes with a freshFor of 0 are stale at once: by the time of the next command their ttl has
      // begun to run.
      all.writeDoubleBE(ttl - freshFor, from + 2);
    }
    all.set(bytes, from + headerLength);
    return all.subarray(from, start);
  });
}
