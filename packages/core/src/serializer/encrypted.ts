import { Buffer } from "node:buffer";
import { encryptedCodec } from "./encrypted-codec.js";
import { KeyRing } from "./key-ring.js";
import { type Seal, sealing } from "./sealed.js";
import type { KeyOptions } from "./secret-key.js";
import type { Serializer } from "./serializer.js";

const algorithm = "aes-256-gcm";
const nonceLength = 12;
const tagLength = 16;

/**
 * Returns the same serializer, but encrypts and authenticates its payloads with AES-256-GCM. An
 * entry that was changed, or moved to another key, is a miss. The first key writes; all keys read,
 * so keys can be rotated.
 *
 * The times and tags of an entry are not encrypted. A program that writes into the storage can put an
 * older entry of the same key back.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for a key that has not 32 bytes, an id that
 *   is not a short string, or an id that occurs twice
 *
 * @example
 * ```ts
 * static override meta: NodeMeta = {
 *   name: "patient",
 *   caches: [{ storage: "redis", ttl: "1h" }],
 *   serializer: encrypted(compressed(msgpack()), { keys: [{ id: "2026-01", key }] }),
 * };
 * ```
 */
export function encrypted(serializer: Serializer, options: KeyOptions): Serializer {
  return sealing("encrypted()", encryptedCodec, serializer, new KeyRing("encrypted()", options), gcm);
}

/** A nonce, the ciphertext, and the authentication tag: NIST SP 800-38D. */
const gcm: Seal = {
  overhead: nonceLength + tagLength,
  close(payload, secret, bound) {
    const { createCipheriv, randomBytes } = process.getBuiltinModule("node:crypto");
    const nonce = randomBytes(nonceLength);
    const cipher = createCipheriv(algorithm, secret, nonce, { authTagLength: tagLength });
    cipher.setAAD(bound);
    return Buffer.concat([nonce, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  },
  open(sealed, secret, bound) {
    const { createDecipheriv } = process.getBuiltinModule("node:crypto");
    const nonce = sealed.subarray(0, nonceLength);
    const decipher = createDecipheriv(algorithm, secret, nonce, { authTagLength: tagLength });
    decipher.setAAD(bound);
    decipher.setAuthTag(sealed.subarray(-tagLength));
    return Buffer.concat([decipher.update(sealed.subarray(nonceLength, -tagLength)), decipher.final()]);
  },
};
