import { milliseconds } from "../duration.js";
import { ConfigurationError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { Node } from "../node/node.js";
import type { GetOptions } from "../node/options.js";
import type { LoadOverride } from "../runtime/asking.js";

/** The options of one read, checked. */
export interface CheckedOptions {
  readonly signal: AbortSignal | undefined;
  readonly fresh: boolean;
  /** Milliseconds; `Infinity` for any age. */
  readonly maxAge: number;
  readonly override: LoadOverride | undefined;
}

/**
 * Checks the options of a read before it begins anything. A later failure would come after a flight
 * was opened.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`
 */
export function checkedOptions(options: GetOptions<Node>, node: string, key: string): CheckedOptions {
  const refuse = (what: string): never => {
    throw new ConfigurationError(
      "CACHEME_INVALID_OPTION",
      `The options of a read of ${nodeLabel(node, key)} ${what}`,
      { node, key },
    );
  };
  if (typeof options !== "object" || options === null)
    refuse("are not an object: write get(node, { load, signal, … }).");
  const { signal, load, maxAge, fresh } = options;
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    refuse("have a `signal` that is not an AbortSignal.");
  }
  if (load !== undefined && typeof load !== "function") refuse("have a `load` that is not a function.");
  return {
    signal,
    fresh: fresh ?? false,
    maxAge:
      maxAge === undefined
        ? Number.POSITIVE_INFINITY
        : milliseconds(maxAge, `maxAge of a read of ${nodeLabel(node, key)}`, { node, key }),
    override: load,
  };
}
