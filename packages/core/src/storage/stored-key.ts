import { KeyError, typeName } from "../errors.js";
import { grouped } from "../grouped.js";
import { shownKey } from "../shown-key.js";

/** The length, in UTF-16 units, of the longest key that every storage takes. */
export const longestStoredKey = 2000;

/**
 * Control characters, because some end a key in one protocol or another. Halves of surrogate pairs,
 * because all would become the same character as UTF-8.
 */
const unusable = /[\p{Cc}\p{Cs}]/u;

/**
 * Refuses keys that not every storage can tell apart, before anything of their batch is sent.
 *
 * @param label the storage's name in messages
 * @throws KeyError `CACHEME_INVALID_KEY` unless each key is a string of 1 to 2,000 UTF-16 units
 *   without control characters and without halves of surrogate pairs
 */
export function checkKeys(keys: readonly string[], label: string): void {
  if (checkedLists.has(keys)) return;
  for (const key of keys) checkKey(key, label);
}

/** The lists whose keys were checked before, in other forms. */
const checkedLists = new WeakSet<readonly unknown[]>();

/** Up to this length, checking the keys of a list costs less than noting it. */
const shortList = 5;

/**
 * Notes that {@link checkKeys} and {@link checkKeysOf} need not look at the keys of a list: they are
 * made of parts that were checked. The list must not change any more.
 */
export function noteChecked(keys: readonly unknown[]): void {
  if (keys.length > shortList) checkedLists.add(keys);
}

/** Checks the keys of records, leases and anything else with a key, as {@link checkKeys} does. */
export function checkKeysOf(items: readonly { readonly key: string }[], label: string): void {
  if (checkedLists.has(items)) return;
  for (const { key } of items) checkKey(key, label);
}

/** Checks one key, as {@link checkKeys} does. */
export function checkKey(key: string, label: string): void {
  const fits = typeof key === "string" && key.length > 0 && key.length <= longestStoredKey;
  if (fits && !unusable.test(key)) return;
  throw new KeyError("CACHEME_INVALID_KEY", `${label} expected a key ${rule}, got ${fault(key)}.`, {
    key: typeof key === "string" ? key.slice(0, longestStoredKey) : undefined,
  });
}

const rule = `of 1 to ${grouped(longestStoredKey)} characters, without control characters and half surrogate pairs`;

function fault(key: unknown): string {
  if (typeof key !== "string") return `${typeName(key)} as a key`;
  if (key === "") return "an empty key";
  if (key.length > longestStoredKey) return `a key of ${grouped(key.length)} characters`;
  return `the key ${shownKey(key)}, which has a control character or half a surrogate pair in it`;
}
