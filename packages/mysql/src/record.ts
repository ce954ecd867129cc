import { LongKeys, type StoredRecord } from "cacheme/driver";
import type { Parameter } from "./session.js";
import { longestId } from "./table.js";

/** How keys are stored as `id`: 44 bytes follow the beginning of a long key. */
const longKeys: LongKeys = new LongKeys({ longest: longestId - 1, kept: longestId - 44 });

/**
 * Milliseconds that stand for "until it is removed": some 285,000 years. A number of JavaScript
 * holds them exactly, and the server can add them to the time.
 */
const forever = 9_000_000_000_000_000;

/** Bytes of a row beside its key and value, at most: marks of lengths, numbers, tokens. */
const rowHead = 96;

/** An item of a batch as a row of the table. */
export interface Row<T> {
  readonly id: Buffer;
  /** {@link id} as a string. */
  readonly indexed: string;
  /** The whole key, if `id` does not hold it. */
  readonly longKey: Buffer | null;
  readonly item: T;
}

/**
 * Returns the rows of a batch in the order of their ids: batches that take their locks in one order
 * never deadlock.
 */
export function inLockOrder<T extends { readonly key: string }>(items: readonly T[]): Row<T>[] {
  const rows = items.map((item) => rowOf(item.key, item));
  return rows.length === 1 ? rows : rows.sort((one, other) => (one.indexed < other.indexed ? -1 : 1));
}

export function rowOf<T>(key: string, item: T): Row<T> {
  const indexed = longKeys.indexed(key);
  return { id: Buffer.from(indexed), indexed, longKey: indexed === key ? null : Buffer.from(key), item };
}

export function idsOf(rows: readonly Row<unknown>[]): readonly Buffer[] {
  return rows.map(({ id }) => id);
}

/**
 * Returns the parameters of all rows. A large batch has thousands, so they are collected in one
 * array.
 */
export function parametersOf<T>(
  rows: readonly T[],
  columns: (row: T) => readonly Parameter[],
): readonly Parameter[] {
  const parameters: Parameter[] = [];
  for (const row of rows) parameters.push(...columns(row));
  return parameters;
}

/** Returns the milliseconds that the server adds to its time. */
export function lifetime(milliseconds: number | undefined): number {
  return milliseconds ?? forever;
}

/** Returns the bytes of a record without a copy. */
export function bytesOf({ bytes }: { readonly bytes: Uint8Array }): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The columns `kept_for` and `fresh_for`. */
export function times({ ttl, freshFor }: StoredRecord): readonly [keptFor: number, freshFor: number] {
  return [lifetime(ttl), freshFor ?? lifetime(ttl)];
}

/** Returns the most bytes that a row with a record takes in a packet. */
export function recordSize(row: Row<StoredRecord>): number {
  return row.item.bytes.byteLength + idSize(row);
}

/** Returns the most bytes that a row without a value takes in a packet. */
export function idSize({ id, longKey }: Row<unknown>): number {
  return id.length + (longKey?.length ?? 0) + rowHead;
}

/**
 * Returns a value of an answer by itself. It is a view of up to 64 KiB that came from the network,
 * and a small value must not keep so much alive.
 */
export function kept(bytes: Buffer): Buffer {
  return bytes.length * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
}

/** Returns the ids that begin with a prefix: from the first one on, and below the second one. */
export function idsBetween(prefix: string): readonly [first: Buffer, end: Buffer] {
  const first = Buffer.from(longKeys.beginning(prefix));
  if (first.length === 0) return [first, Buffer.from([0xff])];
  const end = Buffer.from(first);
  // No byte of UTF-8 is 0xff, so the last one can be one more.
  end[end.length - 1] = (end[end.length - 1] ?? 0) + 1;
  return [first, end];
}

/** Returns the first id after an id. */
export function idAfter(id: Uint8Array): Buffer {
  return Buffer.concat([id, Buffer.alloc(1)]);
}
