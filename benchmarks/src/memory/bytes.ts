import type { Subject } from "./subject.js";

/**
 * The committed bytes of resizable buffers, which Node does not count among the array buffers. They
 * are kept as long as the process, which measures one cache.
 */
const resizable: ArrayBuffer[] = [];

globalThis.ArrayBuffer = class extends ArrayBuffer {
  constructor(...given: ConstructorParameters<typeof ArrayBuffer>) {
    super(...given);
    if (given.length > 1) resizable.push(this);
  }
};

/**
 * Measures the heap and array buffers of an entry, with its key string. Run it with `--expose-gc`.
 */
export async function bytesPerEntry(make: (size: number) => Promise<Subject>, size: number): Promise<number> {
  // The memory of the library itself, and of its compilation, does not count for entries.
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
