import { CachemeError, ConfigurationError, reasonOf } from "../../errors.js";
import { nodeLabel } from "../key.js";

/** Calls a function of a class's meta. */
export function callPolicy<T>(option: string, call: () => T, name: string, key: string): T {
  try {
    return call();
  } catch (error) {
    throw policyFailure(option, `threw: ${reasonOf(error)}`, name, key, error);
  }
}

/** Returns the error of a function of a class's meta. */
export function policyFailure(
  option: string,
  how: string,
  node: string,
  key: string,
  cause?: unknown,
): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_POLICY_FAILED",
    `The option ${option} of node "${node}" ${how}. So the outcome of ${nodeLabel(node, key)} is not stored. ` +
      "Correct the function.",
    { node, key, cause },
  );
}

/** Returns what was thrown as an error of ours. */
export function policyError(thrown: unknown, node: string, key: string): CachemeError {
  if (thrown instanceof CachemeError) return thrown;
  return policyFailure("of the meta", `threw: ${reasonOf(thrown)}`, node, key, thrown);
}
