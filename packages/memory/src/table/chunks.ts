/**
 * Chunk sizes. Keys and values are stored in chunks: V8 stalls 17 ms when it lengthens an array of
 * a million, and never for a chunk. The first chunk is reached without the array of chunks. A small
 * cache saves two of four accesses this way (6 of 45 ns a hit).
 *
 * TypeScript writes a `const enum` into the code as numbers. Other constants are loaded and checked
 * at each use. So functions get longer, and V8 inlines short functions only.
 */
export const enum Chunk {
  Bits = 14,
  /** Elements of a chunk: 128 KB. */
  Size = 1 << Bits,
  Mask = Size - 1,
}

/**
 * Takes a step to give `chunks` place for `capacity` elements; new ones are `empty`. Returns false
 * if there is nothing to do. Only the first chunk may be short.
 */
export function fitChunks<T>(chunks: T[][], capacity: number, empty: T): boolean {
  const count = Math.ceil(capacity / Chunk.Size);
  if (chunks.length > Math.max(count, 1)) {
    chunks.pop();
    return true;
  }
  const first = chunks[0] ?? [];
  const length = Math.min(capacity, Chunk.Size);
  if (first.length !== length) {
    const next = filled(length, empty);
    for (let at = 0; at < length && at < first.length; at++) next[at] = first[at] as T;
    chunks[0] = next;
    return true;
  }
  if (chunks.length >= count) return false;
  chunks.push(filled(Chunk.Size, empty));
  return true;
}

/**
 * Creates an array that is filled at once. Otherwise V8 takes it for an array of numbers and
 * changes its kind at later stores.
 */
function filled<T>(length: number, value: T): T[] {
  return new Array<T>(length).fill(value);
}
