import { createHash } from "node:crypto";
import type { StoredRecord } from "cacheme/driver";

/**
 * The longest key that stands in the index as it is, in UTF-16 units. PostgreSQL refuses an index entry of more than
 * about 2,700 bytes, and 600 units are 1,800 bytes of UTF-8 at most.
 */
export const longestIndexedKey = 600;

/** How much of a longer key stands in the index, so that keys with one beginning stand side by side there too. */
const keptUnits = 200;

/**
 * No key has a control character in it, so nothing but the form of a long key can have this one. After it stands a
 * digest that nobody finds a second key for, so keys need not be compared once more.
 */
const separator = "\u0001";

/** What stands in the column `key`: the key itself, or the beginning of a long one and its SHA-256. */
export function indexedKey(key: string): string {
  if (key.length <= longestIndexedKey) return key;
  return beginning(key) + separator + createHash("sha256").update(key).digest("base64url");
}

/** What stands in the column `long_key`: the whole of a key that does not stand in `key`. */
export function longKey(key: string): string | undefined {
  return key.length <= longestIndexedKey ? undefined : key;
}

/** As much of a text as the indexed forms of all keys that begin with it have in common. */
export function beginning(text: string): string {
  const kept = text.slice(0, keptUnits);
  return /[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept;
}

/** The first text after one that was read: nothing stands between. */
export function justAfter(text: string): string {
  return text + separator;
}

/** No indexed key is as long, so none stands behind it. */
const behindAll = "\u{10FFFF}".repeat(longestIndexedKey / 2 + 1);

/** The first text, in the order of code points, that is behind every text that begins with this one. */
export function behind(text: string): string {
  const points = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  while (points.length > 0) {
    const last = points.pop() ?? 0;
    // UTF-8 has no halves of surrogate pairs.
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return behindAll;
}

/**
 * Records by their indexed keys: of two with one key the later one, and all in one order whoever writes them, so that two
 * batches never wait for each other's rows.
 */
export function inLockOrder<T extends { readonly key: string }>(
  records: readonly T[],
): readonly (readonly [key: string, record: T])[] {
  const [first] = records;
  if (records.length === 1 && first !== undefined) return [[indexedKey(first.key), first]];
  const byKey = new Map<string, T>();
  for (const record of records) byKey.set(indexedKey(record.key), record);
  return [...byKey].sort(([one], [other]) => (one < other ? -1 : 1));
}

/** {@link inLockOrder} for keys alone. */
export function keysInLockOrder(keys: readonly string[]): string[] {
  return keys.length === 1 ? keys.map(indexedKey) : [...new Set(keys.map(indexedKey))].sort();
}

/** About 31,700 years. A timestamp of PostgreSQL ends in the year 294276. */
const longestTime = 1e15;

/** Whole milliseconds from 1. A part is left off: a record must not outlive the tier that it came from. */
export function wholeMilliseconds(time: number | undefined): number | undefined {
  return time === undefined ? undefined : Math.min(Math.max(1, Math.floor(time)), longestTime);
}

/** What `writeMany` and `fill` send of a record besides its key and its bytes. */
export function times(records: readonly (readonly [string, StoredRecord])[]): {
  readonly ttl: readonly (number | undefined)[];
  readonly freshFor: readonly (number | undefined)[];
} {
  return {
    ttl: records.map(([, { ttl }]) => wholeMilliseconds(ttl)),
    freshFor: records.map(([, { freshFor }]) => wholeMilliseconds(freshFor)),
  };
}
