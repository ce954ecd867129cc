import type { Cached } from "../../src/entry/entry.js";
import { encodeEntry, pack } from "../../src/entry/entry-codec.js";
import type { CachemeErrorDetails } from "../../src/errors.js";
import type { Serializer } from "../../src/index.js";

/** Returns the bytes of an entry, as a store makes them in two steps. */
export function entryBytes(
  serializer: Serializer,
  fingerprint: number,
  storageKey: string,
  cached: Cached,
  about?: CachemeErrorDetails,
): Uint8Array {
  return encodeEntry(pack(serializer, cached.value, storageKey, about), fingerprint, storageKey, cached);
}
