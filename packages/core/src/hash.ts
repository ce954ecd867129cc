import { Buffer } from "node:buffer";
import { xxHash32 } from "js-xxhash";

/** xxh32 of the bytes, or of the string as UTF-8. */
type Hash = (input: Uint8Array | string, seed: number) => number;

/**
 * xxh32, an unsigned 32-bit number: by `@node-rs/xxhash` if the program has installed it, else in JavaScript. Both answer the
 * same, so processes with and without it share their entries. The native code is three to six times as fast from a kilobyte
 * on, and no faster below 200 bytes.
 */
export function xxh32(input: Uint8Array | string, seed: number): number {
  hash ??= native() ?? portable;
  return hash(input, seed);
}

/** The hash in JavaScript. It would turn strings into bytes by the global TextEncoder, which Jest's jsdom environment lacks. */
export function portable(input: Uint8Array | string, seed: number): number {
  return xxHash32(typeof input === "string" ? Buffer.from(input) : input, seed);
}

let hash: Hash | undefined;

/**
 * Returns the native function, or `undefined` if it cannot be loaded. No bundler can follow this `require`: a `.node` file breaks
 * their builds. In a bundle the package is looked for beside the bundle and beside the program: a bundler may have removed the
 * module's own address, or put the one of the build in its place.
 *
 * @param places files, the package is resolved as each of them would
 */
export function native(
  places: readonly (string | undefined)[] = [import.meta.url, process.argv[1]],
): Hash | undefined {
  for (const place of places) {
    const found = nativeAt(place);
    if (found !== undefined) return found;
  }
  return undefined;
}

function nativeAt(place: string | undefined): Hash | undefined {
  if (place === undefined) return undefined;
  try {
    const { createRequire } = process.getBuiltinModule("node:module");
    const found: unknown = createRequire(place)(nativePackage);
    const { xxh32 } = found as { readonly xxh32: Hash };
    return xxh32(sample, 1) === portable(sample, 1) ? xxh32 : undefined;
  } catch {
    return undefined;
  }
}

const nativePackage = "@node-rs/xxhash";

/** Another version may take its arguments in another way. */
const sample = "cacheme";
