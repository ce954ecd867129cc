import { refuseUnknownOptions } from "../option-checks.js";
import type { SetOptions } from "./options.js";

const known: readonly (keyof SetOptions)[] = ["ttl", "tags"];

/**
 * Refuses unknown options of the call, and what are no options.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 */
export function refuseSetOptions(call: string, options: SetOptions): void {
  refuseUnknownOptions(options, known, `${call}()`);
}
