import { LongKeys, ownBytes, type StoredRecord, type TableRow } from "cacheme/driver";
import type { Parameter } from "./statement.js";
import { longestId } from "./table.js";

/** How keys are stored as `id`: 44 bytes follow the beginning of a long key. */
export const longKeys: LongKeys = new LongKeys({ longest: longestId - 1, kept: longestId - 44 });

/**
 * Milliseconds that stand for "until it is removed": some 285,000 years. A number of JavaScript
 * holds them exactly, and the server can add them to the time.
 */
const forever = 9_000_000_000_000_000;

/** Bytes of a row beside its key and value, at most: marks of lengths, numbers, tokens. */
const rowHead = 96;

export function idOf({ indexed }: TableRow<unknown>): Buffer {
  return Buffer.from(indexed);
}

/** The columns `id` and `long_key`. */
export function wholeKey({
  indexed,
  longKey,
}: TableRow<unknown>): readonly [id: Buffer, longKey: Buffer | null] {
  return [Buffer.from(indexed), longKey === undefined ? null : Buffer.from(longKey)];
}

export function tokenOf({ item }: TableRow<{ readonly token: string }>): Buffer {
  return Buffer.from(item.token, "hex");
}

/** Collects the parameters of all rows in one array, because a large batch has thousands. */
export function parametersOf<Row>(
  rows: readonly Row[],
  columns: (row: Row) => readonly Parameter[],
): Parameter[] {
  const parameters: Parameter[] = [];
  for (const row of rows) parameters.push(...columns(row));
  return parameters;
}

/** Returns the milliseconds that the server adds to its time. */
export function lifetime(milliseconds: number | undefined): number {
  return milliseconds ?? forever;
}

/** Returns bytes as a parameter, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The columns `bytes`, `kept_for` and `fresh_for`. */
export function valueColumns({
  item,
}: TableRow<StoredRecord>): readonly [bytes: Buffer, keptFor: number, freshFor: number] {
  const { bytes, ttl, freshFor } = item;
  return [asBuffer(bytes), lifetime(ttl), freshFor ?? lifetime(ttl)];
}

/** Returns the most bytes that a record takes in a packet, before it is a row. */
export function recordRoom({ key, bytes }: StoredRecord): number {
  return bytes.byteLength + idSize(key) + (longKeys.isLong(key) ? longestId : 0);
}

/** Returns the most bytes that a row with a record takes in a packet. */
export function recordSize(row: TableRow<StoredRecord>): number {
  return row.item.bytes.byteLength + rowSize(row);
}

/** Returns the most bytes that a row without a value takes in a packet. */
export function rowSize({ indexed, longKey }: TableRow<unknown>): number {
  return idSize(indexed) + (longKey === undefined ? 0 : Buffer.byteLength(longKey));
}

/** Returns the most bytes that a key alone takes in a packet. */
export function idSize(id: string): number {
  return Buffer.byteLength(id) + rowHead;
}

/** Returns a value of an answer by itself. */
export function kept(bytes: unknown): Uint8Array | undefined {
  return Buffer.isBuffer(bytes) ? ownBytes(bytes, Buffer.from) : undefined;
}
