import { Buffer } from "node:buffer";
import type { KeyObject } from "node:crypto";
import { KeyRing } from "./key-ring.js";
import { type Seal, sealing } from "./sealed.js";
import type { KeyOptions } from "./secret-key.js";
import type { Serializer } from "./serializer.js";

/** The mark of signed entries. */
const signedCodec = 17;

const macLength = 32;

/**
 * Returns the same serializer, but adds an HMAC-SHA-256 to its payloads, which stay readable. An
 * entry that was changed, or moved to another key, is a miss: only holders of a key can write
 * entries. The first key writes; all keys read, so keys can be rotated.
 *
 * The times and tags of an entry are not signed. A program that writes into the storage can put an
 * older entry of the same key back.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` as {@link encrypted}
 *
 * @example
 * ```ts
 * const serializer = signed(v8(), { keys: [{ id: "2026-01", key }] });
 * ```
 */
export function signed(serializer: Serializer, options: KeyOptions): Serializer {
  return sealing("signed()", signedCodec, serializer, new KeyRing("signed()", options), hmac);
}

/** The code, and the payload as it is. */
const hmac: Seal = {
  overhead: macLength,
  close: (payload, secret, bound) => Buffer.concat([macOf(payload, secret, bound), payload]),
  open(sealed, secret, bound) {
    const { timingSafeEqual } = process.getBuiltinModule("node:crypto");
    const payload = sealed.subarray(macLength);
    if (!timingSafeEqual(sealed.subarray(0, macLength), macOf(payload, secret, bound)))
      throw new Error("The signature does not belong to the entry.");
    return payload;
  },
};

function macOf(payload: Uint8Array, secret: KeyObject, bound: Uint8Array): Buffer {
  const { createHmac } = process.getBuiltinModule("node:crypto");
  // With its length, so that no other bound bytes and payload have the same code.
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bound.length);
  return createHmac("sha256", secret).update(length).update(bound).update(payload).digest();
}
