import { Buffer } from "node:buffer";
import { KeyError, typeName } from "../errors.js";
import { bareKey, shownKey } from "../shown-key.js";

/** Control characters, and halves of surrogate pairs: all of these would become one and the same character as UTF-8. */
const unusable = /[\p{Cc}\p{Cs}]/u;

/**
 * The node's key, checked.
 *
 * @throws KeyError `CACHEME_INVALID_KEY` for anything but a text that is not empty and has no control characters
 */
export function checkedKey(key: unknown, nodeName: string): string {
  if (typeof key === "string" && key !== "" && !unusable.test(key) && !mistaken.test(key)) return key;
  throw invalidKey(key, nodeName);
}

/** What became of an object, or of a value that was missing, where a string was made of it. */
const mistaken = /^(?:\[object [^\]]*\]|undefined|null|NaN)$/;

function invalidKey(key: unknown, nodeName: string): KeyError {
  const what =
    typeof key !== "string"
      ? `returned ${typeName(key)}, not a text`
      : key === ""
        ? "returned an empty text"
        : mistaken.test(key)
          ? `returned ${shownKey(key)}, which every such node would share: it was made of an object or of a value that is missing`
          : `returned ${shownKey(key)}, which has a control character or half a surrogate pair in it`;
  return new KeyError(
    "CACHEME_INVALID_KEY",
    `key() of node "${nodeName}" ${what}. Return a text that tells this node from the others of its class, ` +
      "such as String(this.id); encode what may hold any bytes.",
    { node: nodeName, key: typeof key === "string" ? key : undefined },
  );
}

/** Storages differ in what they take (Memcached: 250 bytes); this much fits all of them. */
const longestKey = 200;

/** Marks a shortened key. A user's key that begins like this is shortened too, so that none can pose as another's. */
const shortened = "~sha256~";

/**
 * Escapes `:` and `%` in a prefix, as `%3A` and `%25`, so that it ends at the first colon of a storage key: otherwise the prefix
 * `a:b` with the node `c`, and the prefix `a` with the node `b` and a key that begins with `c:`, would read each other's entries.
 */
export function escapedPrefix(prefix: string): string {
  return prefix.replaceAll("%", "%25").replaceAll(":", "%3A");
}

/**
 * Returns the key under which a node's entry is stored in remote storages: `prefix:name:key:version`. If it is longer than 200
 * bytes, `~sha256~` and the SHA-256 of the node's key replace the key, as 43 characters of base64url.
 *
 * Two nodes never share a storage key. Neither the escaped prefix nor name and version have a colon, so the first two parts and
 * the last one are found in it again, and what remains is the key. A name never begins with `~`: what does is no entry, but a
 * generation or a lease.
 *
 * @param before `prefix:name:`, the prefix escaped
 * @param after `:version`
 */
export function storageKey(before: string, key: string, after: string): string {
  const whole = before + key + after;
  // Three bytes is the most that one UTF-16 unit takes, so short keys are not measured.
  const fits = whole.length * 3 <= longestKey || Buffer.byteLength(whole) <= longestKey;
  if (fits && !key.startsWith(shortened)) return whole;
  // Loaded here: few programs have keys as long, and node:crypto takes milliseconds to load.
  const { createHash } = process.getBuiltinModule("node:crypto");
  return before + shortened + createHash("sha256").update(key).digest("base64url") + after;
}

/** Names a node in messages, such as `user:1`. A long key is cut, an unprintable one escaped. */
export function nodeLabel(nodeName: string, key: string): string {
  return `${nodeName}:${bareKey(key)}`;
}
