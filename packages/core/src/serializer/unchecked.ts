import type { Serializer } from "./serializer.js";

/** The key under which a serializer that checks values has the one that does not. */
const uncheckedKey: unique symbol = Symbol("cacheme unchecked");

/** A serializer that refuses some values of the one below it. */
interface CheckedSerializer extends Serializer {
  readonly [uncheckedKey]: Serializer;
}

/** Returns a serializer with a note of the one that it is made of. */
export function withUnchecked(serializer: Serializer, unchecked: Serializer): Serializer {
  return Object.assign(serializer, { [uncheckedKey]: unchecked });
}

/** Returns the serializer without the checks of its class's values. */
export function uncheckedOf(serializer: Serializer & Partial<CheckedSerializer>): Serializer {
  return serializer[uncheckedKey] ?? serializer;
}
