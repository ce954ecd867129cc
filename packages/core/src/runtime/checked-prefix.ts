import { Buffer } from "node:buffer";
import { ConfigurationError, typeName } from "../errors.js";
import { escapedPrefix } from "../node/key.js";
import { shownKey } from "../shown-key.js";

/**
 * The longest prefix in bytes. With the longest name, version and shortened key the whole takes
 * less than 200.
 */
const longestPrefix = 60;

/**
 * Returns the first part of every key in remote storages.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for anything but a string without white space
 *   of 1 to 60 bytes
 */
export function checkedPrefix(prefix: string): string {
  if (
    typeof prefix === "string" &&
    /^[^\p{Cc}\p{Cs}\s]+$/u.test(prefix) &&
    Buffer.byteLength(escapedPrefix(prefix)) <= longestPrefix
  ) {
    return prefix;
  }
  const shown = typeof prefix === "string" ? shownKey(prefix) : typeName(prefix);
  throw new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `The prefix ${shown} cannot be part of a key. Give 1 to ${longestPrefix} bytes without white space, such as "shop"; a colon and ` +
      "a percent sign count as 3.",
  );
}
