import { Buffer } from "node:buffer";
import { KeyError, typeName } from "../errors.js";
import { bareKey, shownKey } from "../shown-key.js";

/**
 * Control characters, and halves of surrogate pairs, because all would become the same character as
 * UTF-8.
 */
const unusable = /[\p{Cc}\p{Cs}]/u;

/**
 * Returns the node's key, checked.
 *
 * @throws KeyError `CACHEME_INVALID_KEY` unless the key is a string that is not empty and has no
 *   control characters
 */
export function checkedKey(key: unknown, nodeName: string): string {
  if (typeof key === "string" && key !== "" && !unusable.test(key) && !mistaken.test(key)) return key;
  throw invalidKey(key, nodeName);
}

/** The strings that come from an object, or from a missing value, that was turned into a string. */
const mistaken = /^(?:\[object [^\]]*\]|undefined|null|NaN)$/;

function invalidKey(key: unknown, nodeName: string): KeyError {
  const what =
    typeof key !== "string"
      ? `returned ${typeName(key)}, expected a string`
      : key === ""
        ? "returned an empty string"
        : mistaken.test(key)
          ? `returned ${shownKey(key)}, which every such node would share: it was made of an object or of a value that is missing`
          : `returned ${shownKey(key)}, which has a control character or half a surrogate pair in it`;
  return new KeyError(
    "CACHEME_INVALID_KEY",
    `key() of node "${nodeName}" ${what}. Return a string that tells this node from the others of its class, ` +
      "such as String(this.id); encode values that may hold any bytes.",
    { node: nodeName, key: typeof key === "string" ? key : undefined },
  );
}

/**
 * The longest key in bytes. Storages take different lengths (Memcached: 250 bytes); all of them
 * take this one.
 */
const longestKey = 200;

/** The name in the storage keys of generations. No node has it, because it begins with `~`. */
export const generationName = "~tag";

/**
 * Marks a shortened key. A user's key that begins with the mark is shortened too, so that it cannot
 * pose as another key.
 */
export const shortened = "~sha256~";

/** Returns whether the key, as a part of a storage key, stands for a longer one. */
export function isShortened(key: string): boolean {
  return key.startsWith(shortened);
}

/**
 * Escapes `:` and `%` in a prefix, as `%3A` and `%25`. So the prefix ends at the first colon of a
 * storage key. Otherwise two nodes could read each other's entries. One has prefix `a:b` and node
 * `c`. The other has prefix `a`, node `b` and a key that begins with `c:`.
 */
export function escapedPrefix(prefix: string): string {
  return prefix.replaceAll("%", "%25").replaceAll(":", "%3A");
}

/**
 * Returns the key under which a node's entry is stored in remote storages:
 * `prefix:name:key:version`. If it is longer than 200 bytes, a hash replaces the key: `~sha256~`
 * and the key's SHA-256, as 43 characters of base64url.
 *
 * Two nodes never share a storage key. The escaped prefix, the name and the version have no colon.
 * So the first two parts and the last one can be found again, and the rest is the key. A name never
 * begins with `~`: storage keys with such a name belong to generations and leases, not to entries.
 *
 * @param before `prefix:name:`, the prefix escaped
 * @param after `:version`
 */
export function storageKey(before: string, key: string, after: string): string {
  const whole = before + key + after;
  // A UTF-16 unit takes three bytes at most, so short keys are not measured.
  const fits = whole.length * 3 <= longestKey || Buffer.byteLength(whole) <= longestKey;
  if (fits && !isShortened(key)) return whole;
  // Loaded here, because few programs have such long keys, and node:crypto takes milliseconds to
  // load.
  const { createHash } = process.getBuiltinModule("node:crypto");
  return before + shortened + createHash("sha256").update(key).digest("base64url") + after;
}

/** Names a node in messages, such as `user:1`. Cuts a long key, and escapes an unprintable one. */
export function nodeLabel(nodeName: string, key: string): string {
  return `${nodeName}:${bareKey(key)}`;
}
