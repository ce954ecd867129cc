import { ConfigurationError } from "../errors.js";

/**
 * Refuses arguments that are not a list, because callers without types may pass them.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 */
export function checkList(call: string, given: unknown): void {
  if (Array.isArray(given)) return;
  throw new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `${call} expected a list, got ${given === null ? "null" : typeof given}. Give a list such as [${call === "setAll" || call === "saveAll" ? "[new UserNode(1), user]" : "new UserNode(1)"}].`,
  );
}
