import { createHash } from "node:crypto";

/** The mark of a long key's stored form. No key has a control character. */
const separator = "\u0001";

/** The most bytes of UTF-8 in one UTF-16 unit. */
const bytesPerUnit = 3;

/** An item of a batch, as a row of a table. */
export interface TableRow<Item> {
  /** The form of the key in the index. */
  readonly indexed: string;
  /** The whole key, if {@link indexed} does not hold it. */
  readonly longKey: string | undefined;
  readonly item: Item;
}

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

  /**
   * Returns the rows of a batch in the order of their indexed keys: batches that lock rows in one
   * order never deadlock.
   */
  inLockOrder<Item extends { readonly key: string }>(items: readonly Item[]): readonly TableRow<Item>[] {
    const rows = items.map((item): TableRow<Item> => {
      const indexed = this.indexed(item.key);
      return { indexed, longKey: indexed === item.key ? undefined : item.key, item };
    });
    return rows.length === 1 ? rows : rows.sort((one, other) => (one.indexed < other.indexed ? -1 : 1));
  }

  /**
   * Returns the first string, in the order of UTF-8's bytes, behind the stored form of every key
   * that begins with the string. A scan ends there.
   */
  behind(text: string): string {
    const points = Array.from(this.beginning(text), (character) => character.codePointAt(0) ?? 0);
    while (points.length > 0) {
      const last = points.pop() ?? 0;
      // UTF-8 has no halves of surrogate pairs.
      if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
    }
    // It has more bytes than the longest stored form.
    return "\u{10FFFF}".repeat(this.#longest / 4 + 1);
  }
}
