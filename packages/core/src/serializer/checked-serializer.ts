import { optionError, shown } from "../option-checks.js";
import type { Serializer } from "./serializer.js";

/** Returns whether a value has what every serializer has. */
export function isSerializer(given: unknown): given is Serializer {
  if (typeof given !== "object" || given === null) return false;
  const { codec, encode, decode } = given as Partial<Serializer>;
  const isCodec = Number.isInteger(codec) && Number(codec) >= 1 && Number(codec) <= 255;
  return isCodec && typeof encode === "function" && typeof decode === "function";
}

/**
 * Checks the serializer that another one is put around.
 *
 * @param owner the outer one's name in messages, such as `encrypted()`
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 */
export function checkSerializer(owner: string, given: unknown): void {
  if (isSerializer(given)) return;
  throw optionError(
    `${owner} expected a serializer first, such as msgpack() or json(), got ${shown(given)}.`,
  );
}
