import { SerializationError } from "../errors.js";
import type { Serializer } from "./serializer.js";
import { uncheckedOf } from "./unchecked.js";

/*
 * Text that an entry holds besides a value, or in its place. It passes through the class's own
 * serializer, because that one may encrypt.
 */

/**
 * Returns the text as bytes.
 *
 * @param key the storage key of the entry
 * @throws SerializationError if the serializer carries no strings
 */
export function encodeText(serializer: Serializer, text: string, key: string): Uint8Array {
  const unchecked = uncheckedOf(serializer);
  let cause: unknown;
  try {
    const bytes = unchecked.encode(text, { key });
    if (unchecked.decode(bytes, { key }) === text) return bytes;
  } catch (thrown) {
    cause = thrown;
  }
  throw new SerializationError(
    "The serializer cannot carry a string, so a remote tier cannot keep errors or the data of context.keep.",
    "$",
    { cause },
  );
}

/**
 * Returns the text in the bytes.
 *
 * @throws an error if there is none
 */
export function decodeText(serializer: Serializer, bytes: Uint8Array, key: string): string {
  const text = uncheckedOf(serializer).decode(bytes, { key });
  if (typeof text === "string") return text;
  throw new TypeError("Expected a string beside the value of an entry.");
}
