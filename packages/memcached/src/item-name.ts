import { hash } from "node:crypto";

/**
 * The names that a server accepts: up to 250 bytes of ASCII without spaces and control characters.
 */
const plain = /^[!-~]{1,250}$/;

/** The beginning of a name that is a hash. */
const hashMark = "#";

/**
 * Returns the name of a key's item on a server: the key itself if the server accepts it, otherwise
 * a hash of 192 bits behind a `#`. A key that begins with a `#` is hashed too, so no key's own name
 * is ever the hash of another.
 */
export function itemName(key: string): string {
  if (plain.test(key) && !key.startsWith(hashMark)) return key;
  return hashMark + hash("sha256", key, "base64url").slice(0, 32);
}

/** Whether a name is a hash. Then the item has the whole key in it. */
export function isHashed(name: string): boolean {
  return name.startsWith(hashMark);
}
