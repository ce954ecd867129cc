import { Buffer } from "node:buffer";
import { xxh3 } from "@node-rs/xxhash";
import { KeyError, typeName } from "../errors.js";

/** Control characters, and halves of surrogate pairs: all of these would become one and the same character as UTF-8. */
const unusable = /[\p{Cc}\p{Cs}]/u;

/**
 * The node's key, checked.
 *
 * @throws KeyError `CACHEME_INVALID_KEY` for anything but a text that is not empty and has no control characters
 */
export function checkedKey(key: unknown, nodeName: string): string {
  if (typeof key === "string" && key !== "" && !unusable.test(key)) return key;
  throw invalidKey(key, nodeName);
}

function invalidKey(key: unknown, nodeName: string): KeyError {
  const what =
    typeof key !== "string"
      ? `returned ${typeName(key)}, not a text`
      : key === ""
        ? "returned an empty text"
        : `returned ${JSON.stringify(key)}, which has a control character or half a surrogate pair in it`;
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
const shortened = "~xxh3~";

/**
 * The key under which a node's entry stands in remote storages: `prefix:name:key:version`. A longer one than 200 bytes has
 * `~xxh3~` and the 128-bit hash of the node's key in the key's place.
 *
 * @param before `prefix:name:`
 * @param after `:version`
 */
export function storageKey(before: string, key: string, after: string): string {
  const whole = before + key + after;
  // Three bytes is the most that one UTF-16 unit takes, so short keys are not measured.
  const fits = whole.length * 3 <= longestKey || Buffer.byteLength(whole) <= longestKey;
  if (fits && !key.startsWith(shortened)) return whole;
  return before + shortened + xxh3.xxh128(key).toString(16).padStart(32, "0") + after;
}

/** How a node is named in messages, such as `user:1`. */
export function nodeLabel(nodeName: string, key: string): string {
  return `${nodeName}:${key}`;
}
