import { ConfigurationError } from "../errors.js";
import { optionError, shown } from "../option-checks.js";

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

/**
 * Refuses arguments that are not a list of pairs.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 */
export function checkPairs(call: string, given: unknown): void {
  checkList(call, given);
  for (const [place, pair] of (given as readonly unknown[]).entries()) {
    if (Array.isArray(pair) && pair.length === 2) continue;
    throw optionError(
      `${call} expected a node and its value in place ${place}, got ${shown(pair)}. ` +
        "Give a list such as [[new UserNode(1), user]].",
    );
  }
}
