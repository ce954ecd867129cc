import { createHash } from "node:crypto";
import { longestId } from "./table.js";

/** Bytes of a hash at an id's end. */
const hashLength = 32;

/** How a key stands in the table. */
export interface StoredId {
  readonly id: Buffer;
  /** The key itself, where its id is not. */
  readonly longKey: Buffer | null;
  /** The id as a text of as many characters as it has bytes: to compare and to find it again. */
  readonly text: string;
}

/**
 * An index cannot hold 6,000 bytes, so a long key stands under its beginning, which keeps the order for scans, and its
 * hash. A short key never has as many bytes as such an id.
 */
export function storedId(key: string): StoredId {
  return ordered(key, undefined);
}

/** The ids that begin with a text, from the first one on and below the second one. */
export function idsBetween(prefix: string): readonly [first: Buffer, end: Buffer] {
  const first = Buffer.from(prefix).subarray(0, longestId - hashLength);
  if (first.length === 0) return [first, Buffer.from([0xff])];
  const end = Buffer.from(first);
  // No byte of UTF-8 is 0xff, so the last one can be one more.
  end[end.length - 1] = (end[end.length - 1] ?? 0) + 1;
  return [first, end];
}

/** The least id that comes after. */
export function idAfter(id: Uint8Array): Buffer {
  return Buffer.concat([id, Buffer.alloc(1)]);
}

/**
 * Each key once, in the order of the ids: batches that take their locks in one order do not wait for each other in a circle.
 *
 * @param items of two with one key the later one is taken
 */
export function inOrder<T>(items: readonly T[], keyOf: (item: T) => string): Ordered<T>[] {
  const byText = new Map<string, Ordered<T>>();
  for (const item of items) {
    const row = ordered(keyOf(item), item);
    byText.set(row.text, row);
  }
  return [...byText.values()].sort((one, other) => (one.text < other.text ? -1 : 1));
}

export interface Ordered<T> extends StoredId {
  readonly item: T;
}

function ordered<T>(key: string, item: T): Ordered<T> {
  const bytes = Buffer.from(key);
  if (bytes.length < longestId) {
    // A key of as many bytes as characters is all ASCII, and its own text.
    return { id: bytes, longKey: null, text: bytes.length === key.length ? key : textOf(bytes), item };
  }
  const hash = createHash("sha256").update(bytes).digest();
  const id = Buffer.concat([bytes.subarray(0, longestId - hashLength), hash]);
  return { id, longKey: bytes, text: textOf(id), item };
}

/** An id as a text of as many characters as it has bytes. */
export function textOf(id: Buffer): string {
  return id.toString("latin1");
}
