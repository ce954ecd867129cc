import type { Subject } from "./subject.js";

/** Heap and array buffers that an entry costs, with its key string; run with `--expose-gc`. */
export async function bytesPerEntry(make: (size: number) => Promise<Subject>, size: number): Promise<number> {
  const cache = await make(size);
  cache.set("warm", 0);
  const before = used();
  for (let i = 0; i < size; i++) cache.set(`item:${i}`, i);
  const bytes = (used() - before) / size;
  cache.get("item:0");
  return bytes;
}

function used(): number {
  global.gc?.();
  global.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
