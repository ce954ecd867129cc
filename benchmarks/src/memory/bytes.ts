import type { Subject } from "./subject.js";

/**
 * Resizable buffers, which Node does not count among the array buffers: as many bytes as they have committed.
 * Kept for as long as the process, which measures one cache.
 */
const resizable: ArrayBuffer[] = [];

globalThis.ArrayBuffer = class extends ArrayBuffer {
  constructor(...given: ConstructorParameters<typeof ArrayBuffer>) {
    super(...given);
    if (given.length > 1) resizable.push(this);
  }
};

/** Heap and array buffers that an entry costs, with its key string; run with `--expose-gc`. */
export async function bytesPerEntry(make: (size: number) => Promise<Subject>, size: number): Promise<number> {
  // What the library itself takes, and what compiling it takes, is no entry's cost.
  const warm = await make(100);
  for (let i = 0; i < 10_000; i++) warm.set(`item:${i}`, i);
  const before = used();
  const cache = await make(size);
  for (let i = 0; i < size; i++) cache.set(`item:${i}`, i);
  const bytes = (used() - before) / size;
  cache.get("item:0");
  return bytes;
}

function used(): number {
  global.gc?.();
  global.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return resizable.reduce((bytes, buffer) => bytes + buffer.byteLength, heapUsed + arrayBuffers);
}
