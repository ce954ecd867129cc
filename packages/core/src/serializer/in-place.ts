import type { Serializer } from "./serializer.js";

/** The key of {@link InPlaceSerializer}'s method. A foreign serializer cannot have it by chance. */
export const readInPlace: unique symbol = Symbol("cacheme read in place");

/** The answer for bytes that only `decode` reads. */
export const notPlain: unique symbol = Symbol("not plain");

/** A serializer that can read a payload without a view of it. */
export interface InPlaceSerializer extends Serializer {
  /**
   * Reads the payload between two places of a Buffer.
   *
   * @param frozen whether the value is frozen deeply
   * @returns {@link notPlain} if the payload needs `decode`
   */
  readonly [readInPlace]: (bytes: Buffer, start: number, end: number, frozen: boolean) => unknown;
}

/** Reads the payload if the serializer can do so in place, and else returns {@link notPlain}. */
export function decodeInPlace(
  serializer: Serializer & Partial<InPlaceSerializer>,
  bytes: Buffer,
  start: number,
  end: number,
  frozen: boolean,
): unknown {
  const read = serializer[readInPlace];
  return read === undefined ? notPlain : read(bytes, start, end, frozen);
}
