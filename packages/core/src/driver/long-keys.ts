import { createHash } from "node:crypto";

/** The mark of a long key's stored form. No key has a control character. */
const separator = "\u0001";

/** The most bytes of UTF-8 in one UTF-16 unit. */
const bytesPerUnit = 3;

/**
 * Shortens keys for an index that cannot hold the longest ones. A long key is stored under its
 * beginning and its SHA-256. So keys with one beginning are still stored together, and nobody finds
 * two keys with one stored form. For authors of storages.
 *
 * @example
 * ```ts
 * const longKeys = new LongKeys({ longest: 1800, kept: 200 });
 * longKeys.indexed("user:1"); // "user:1"
 * longKeys.indexed("x".repeat(2000)); // 200 times "x", U+0001, and the hash in 43 characters
 * ```
 */
export class LongKeys {
  readonly #longest: number;
  readonly #kept: number;

  /**
   * @param options.longest bytes of UTF-8 of the longest key that is stored unchanged
   * @param options.kept bytes of a longer key that its stored form begins with; 44 more follow
   */
  constructor({ longest, kept }: { readonly longest: number; readonly kept: number }) {
    this.#longest = longest;
    this.#kept = kept;
  }

  /**
   * Returns whether a key is not stored unchanged. If so, store the whole key beside its stored
   * form, for scans.
   */
  isLong(key: string): boolean {
    return key.length * bytesPerUnit > this.#longest && Buffer.byteLength(key) > this.#longest;
  }

  /** Returns the form in which a key is stored in the index. */
  indexed(key: string): string {
    if (!this.isLong(key)) return key;
    return this.beginning(key) + separator + createHash("sha256").update(key).digest("base64url");
  }

  /**
   * Returns the common beginning of the stored forms of all keys that begin with the string. A scan
   * begins there.
   */
  beginning(text: string): string {
    if (text.length * bytesPerUnit <= this.#kept) return text;
    const bytes = Buffer.from(text);
    if (bytes.length <= this.#kept) return text;
    let end = this.#kept;
    // Does not cut between the bytes of one character.
    while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
    return bytes.toString("utf8", 0, end);
  }
}
