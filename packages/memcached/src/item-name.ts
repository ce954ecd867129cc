import { hash } from "node:crypto";

/** What a server takes as the name of an item: up to 250 bytes, none of them a space, a control character or above ASCII. */
const plain = /^[!-~]{1,250}$/;

/** What the name of a key begins with that is none itself. */
const hashMark = "#";

/**
 * The name of a key's item on a server: the key itself where that is a name, else a hash of 192 bits behind a `#`. A key
 * that begins with a `#` is hashed as well, so no key's own name is ever the hash of another.
 */
export function itemName(key: string): string {
  if (plain.test(key) && !key.startsWith(hashMark)) return key;
  return hashMark + hash("sha256", key, "base64url").slice(0, 32);
}

/** Whether the name says which key it belongs to. If not, the item has the whole key in it. */
export function isHashed(name: string): boolean {
  return name.startsWith(hashMark);
}
