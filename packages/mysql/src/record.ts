import type { StoredRecord } from "cacheme/driver";
import type { Ordered } from "./stored-id.js";

/**
 * Milliseconds that stand for "until it is removed": some 285,000 years. A number of JavaScript holds it exactly, and the
 * server can add it to the time.
 */
const forever = 9_000_000_000_000_000;

/** Bytes of a row beside its key and value, at most: marks of lengths, numbers, tokens. */
const rowHead = 96;

/** Whole milliseconds from 1. A fraction is left off: a record must not outlive the tier that it came from. */
export function lifetime(milliseconds: number | undefined): number {
  return milliseconds === undefined ? forever : Math.min(forever, Math.max(1, Math.floor(milliseconds)));
}

/** The bytes of a record, without a copy. */
export function bytesOf({ bytes }: { readonly bytes: Uint8Array }): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** How long a record is kept, and how long it is fresh. */
export function times({ ttl, freshFor }: StoredRecord): readonly [keptFor: number, freshFor: number] {
  const keptFor = lifetime(ttl);
  return [keptFor, freshFor === undefined ? keptFor : Math.min(keptFor, lifetime(freshFor))];
}

/** Bytes that a record takes in a packet, at most. */
export function sizeOf({ id, longKey, item }: Ordered<StoredRecord>): number {
  return item.bytes.byteLength + idSize({ id, longKey });
}

/** Bytes that a row without a value takes in a packet, at most. */
export function idSize({ id, longKey }: { readonly id: Buffer; readonly longKey: Buffer | null }): number {
  return id.length + (longKey?.length ?? 0) + rowHead;
}

/**
 * Bytes that an answer holds. They are a view of what the network gave, up to 64 KiB: a small value shall not keep so much
 * alive.
 */
export function kept(bytes: Buffer): Buffer {
  return bytes.length * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
}
