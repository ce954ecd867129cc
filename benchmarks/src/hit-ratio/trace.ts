import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";

/** The requests of a workload, in their order. */
export interface Trace {
  readonly name: string;
  /** The requested keys, as dense ids. */
  readonly ids: Uint32Array;
  /** The key string of each id. */
  readonly keys: readonly string[];
}

/**
 * Reads a trace: gzip of little-endian unsigned 32-bit ids. The ids are dense: none is much larger
 * than their number.
 */
export function readTrace(file: string): Trace {
  const bytes = gunzipSync(readFileSync(file));
  const ids = new Uint32Array(bytes.byteLength / Uint32Array.BYTES_PER_ELEMENT);
  let unique = 0;
  for (let at = 0; at < ids.length; at++) {
    const id = bytes.readUInt32LE(at * Uint32Array.BYTES_PER_ELEMENT);
    ids[at] = id;
    unique = Math.max(unique, id + 1);
  }
  const keys = Array.from({ length: unique }, (_, id) => `key:${id}`);
  return { name: basename(file).replace(/\.u32\.gz$/, ""), ids, keys };
}
