import { types } from "node:util";
import { type HeldLease, LongKeys, type StoredRecord } from "cacheme/driver";
import { byteaArray, numberArray, textArray, uuidArray } from "./binary-array.js";
import type { Row } from "./client.js";

/** PostgreSQL refuses an index entry of more than about 2,700 bytes. */
const longest = 1800;

/** How keys are stored in the column `key`. */
export const longKeys: LongKeys = new LongKeys({ longest, kept: 200 });

/** An item of a batch with the key under which it is stored. */
export type Keyed<T> = readonly [key: string, item: T];

/**
 * Returns the items in the order of their stored keys: batches that lock rows in one order never
 * deadlock.
 */
export function inLockOrder<T extends { readonly key: string }>(items: readonly T[]): readonly Keyed<T>[] {
  const keyed = items.map((item): Keyed<T> => [longKeys.indexed(item.key), item]);
  return keyed.length === 1 ? keyed : keyed.sort(([one], [other]) => (one < other ? -1 : 1));
}

/** The parameters of a statement: a column of the batch is an array. */
export type Column = Buffer | null;

export function keyColumn(batch: readonly Keyed<unknown>[]): Column {
  return textArray(batch.map(([key]) => key));
}

/** The column `long_key`: the whole of each key that `key` does not hold. */
export function longKeyColumn(batch: readonly Keyed<{ readonly key: string }>[]): Column {
  return textArray(batch.map(([, { key }]) => (longKeys.isLong(key) ? key : undefined)));
}

export function tokenColumn(batch: readonly Keyed<HeldLease>[]): Column {
  return uuidArray(batch.map(([, { token }]) => Buffer.from(token, "hex")));
}

/** The columns `bytes`, `expires` and `fresh_until`. */
export function valueColumns(batch: readonly Keyed<StoredRecord>[]): Column[] {
  return [
    byteaArray(batch.map(([, { bytes }]) => bytes)),
    numberArray(batch.map(([, { ttl }]) => ttl)),
    numberArray(batch.map(([, { freshFor }]) => freshFor)),
  ];
}

/**
 * Returns the bytes of each key in rows that begin with a key and have its bytes in a later column.
 */
export function bytesByKey(rows: readonly Row[], column: number): Map<unknown, Uint8Array> {
  const found = new Map<unknown, Uint8Array>();
  for (const row of rows) {
    const bytes = row[column];
    if (types.isUint8Array(bytes)) found.set(row[0], bytes);
  }
  return found;
}

/**
 * Returns the first key after a key: no key is between them, because no key has a control
 * character.
 */
export function justAfter(key: string): string {
  return `${key}\u0001`;
}

/** A string behind every stored key, because it has more bytes than the longest one. */
const behindAll = "\u{10FFFF}".repeat(longest / 4 + 1);

/**
 * Returns the first string, in the order of code points, behind every string that begins with this
 * one.
 */
export function behind(text: string): string {
  const points = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  while (points.length > 0) {
    const last = points.pop() ?? 0;
    // UTF-8 has no halves of surrogate pairs.
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return behindAll;
}
