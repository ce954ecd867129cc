import type { HeldLease, StoredRecord, TableRow } from "cacheme/driver";
import { byteaArray, numberArray, textArray, uuidArray } from "./binary-array.js";

/** The parameters of a statement: a column of the batch is an array. */
type Column = Buffer | null;

export function keys(rows: readonly TableRow<unknown>[]): Column {
  return textArray(rows.map(({ indexed }) => indexed));
}

/** The columns `key` and `long_key`. */
export function wholeKeys(rows: readonly TableRow<unknown>[]): Column[] {
  return [keys(rows), textArray(rows.map(({ longKey }) => longKey))];
}

export function tokens(rows: readonly TableRow<HeldLease>[]): Column {
  return uuidArray(rows.map(({ item }) => Buffer.from(item.token, "hex")));
}

/** The lengths of leases in milliseconds. */
export function durations(rows: readonly TableRow<{ readonly duration: number }>[]): Column {
  return numberArray(rows.map(({ item }) => item.duration));
}

/** The columns `bytes`, `expires` and `fresh_until`. */
export function values(rows: readonly TableRow<StoredRecord>[]): Column[] {
  return [
    byteaArray(rows.map(({ item }) => item.bytes)),
    numberArray(rows.map(({ item }) => item.ttl)),
    numberArray(rows.map(({ item }) => item.freshFor)),
  ];
}
