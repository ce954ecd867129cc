import { Buffer } from "node:buffer";
import type { KeyObject } from "node:crypto";
import { ConfigurationError } from "../errors.js";
import { checkSerializer } from "./checked-serializer.js";
import { decompress } from "./compressed.js";
import { defaultMaxDecompressedSize } from "./decompression-limit.js";
import type { KeyRing } from "./key-ring.js";
import type { CompressionAlgorithm, Serializer, SerializerContext } from "./serializer.js";

/*
 * The payload of a sealed entry:
 *
 * 0 uint8 format: 1 1 uint8 codec of the inner serializer 2 uint8 compression of the inner payload
 * (0 none, 1 gzip, 2 deflate, 3 brotli) 3 uint8 length of the key's id, then the id in UTF-8, then
 * what the seal makes of the inner payload
 *
 * The seal also covers the header and the entry's storage key.
 */
const format = 1;
const headerLength = 4;

const algorithms: readonly CompressionAlgorithm[] = ["gzip", "deflate", "brotli"];

/** The cryptography of a sealed entry. */
export interface Seal {
  /** The bytes that it adds to a payload. */
  readonly overhead: number;
  /** Returns the sealed payload. */
  close(payload: Uint8Array, secret: KeyObject, bound: Uint8Array): Uint8Array;
  /**
   * Returns the payload. It may share the memory of the bytes.
   *
   * @throws unless the holder of the key has sealed the bytes, with the same bound ones
   */
  open(sealed: Uint8Array, secret: KeyObject, bound: Uint8Array): Uint8Array;
}

/**
 * Returns a serializer whose payloads are sealed, and bound to the storage key of their entry.
 *
 * @param owner the name in messages, such as `encrypted()`
 */
export function sealing(
  owner: string,
  codec: number,
  inner: Serializer,
  keys: KeyRing,
  seal: Seal,
): Serializer {
  checkSerializer(owner, inner);
  const { compression, maxDecompressedSize = defaultMaxDecompressedSize } = inner;
  return {
    codec,
    encode(value, context) {
      const key = keyIn(context, owner);
      let payload = inner.encode(value, context);
      let algorithm = 0;
      // Compresses first, because sealed bytes do not get smaller.
      if (
        compression !== undefined &&
        payload.length >= compression.threshold &&
        payload.length <= maxDecompressedSize
      ) {
        const compressed = compression.compress(payload);
        if (compressed.length < payload.length) {
          payload = compressed;
          algorithm = algorithms.indexOf(compression.algorithm) + 1;
        }
      }
      const { id, secret } = keys.first;
      const header = Buffer.concat([Uint8Array.of(format, inner.codec, algorithm, id.length), id]);
      return Buffer.concat([header, seal.close(payload, secret, boundTo(header, key))]);
    },
    decode(bytes, context) {
      const key = keyIn(context, owner);
      const header = headerOf(bytes, inner.codec);
      const id = Buffer.from(header.subarray(headerLength)).toString("utf8");
      const secret = keys.find(id);
      if (secret === undefined) throw new Error(`${owner} has no key ${JSON.stringify(id)}.`);
      const sealed = bytes.subarray(header.length);
      if (sealed.length < seal.overhead) throw new Error("The sealed entry is cut off.");
      const payload = seal.open(sealed, secret, boundTo(header, key));
      const algorithm = algorithms[(header[2] ?? 0) - 1];
      // A holder of the key has written it, so no stranger decides how far it grows.
      const plain = algorithm === undefined ? payload : decompress(algorithm, payload, maxDecompressedSize);
      return inner.decode(plain, context);
    },
  };
}

/** Returns the bytes that the seal covers besides the payload. The header tells its own length. */
function boundTo(header: Uint8Array, key: string): Uint8Array {
  return Buffer.concat([header, Buffer.from(key, "utf8")]);
}

/** @throws for another format, or another inner serializer */
function headerOf(bytes: Uint8Array, codec: number): Uint8Array {
  const length = headerLength + (bytes[3] ?? 0);
  if (bytes[0] !== format || bytes.length < length) throw new Error("The bytes are not a sealed entry.");
  if (bytes[1] !== codec) throw new Error("The entry was written with another serializer inside.");
  if ((bytes[2] ?? 0) > algorithms.length) throw new Error("The entry has an unknown compression.");
  return bytes.subarray(0, length);
}

function keyIn(context: SerializerContext | undefined, owner: string): string {
  if (context !== undefined) return context.key;
  throw new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `${owner} expected the entry's key as { key }, the second argument of encode and decode. A serializer around it must pass it on.`,
  );
}
