import { isError, LoadError, typeName } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import { isThenable } from "../node/thenable.js";

/** The end of a load for one flight. */
export interface Outcome {
  readonly value?: unknown;
  readonly error?: unknown;
}

/**
 * Returns the outcome of each flight in the answer of a `loadAll`. An Error is its node's failure.
 *
 * @throws LoadError `CACHEME_LOAD_SHAPE` if the answer is not a list, or has another length
 */
export function outcomesOf(
  node: string,
  flights: readonly { readonly key: string }[],
  answer: unknown,
): readonly Outcome[] {
  if (!Array.isArray(answer) || answer.length !== flights.length) throw wrongShape(node, flights, answer);
  return Array.from(flights, ({ key }, index) => {
    const value: unknown = answer[index];
    if (isError(value)) return { error: value };
    if (!isThenable(value)) return { value };
    // The promise's own failure does not matter any more.
    Promise.resolve(value).catch(() => {});
    return { error: promiseInList(node, key) };
  });
}

function promiseInList(node: string, key: string): LoadError {
  return new LoadError(
    "CACHEME_LOAD_SHAPE",
    `loadAll of node "${node}" answered with a promise for ${nodeLabel(node, key)}. Expected a value or ` +
      "an Error for each node: wait for the values with `await Promise.all(…)`, or `Promise.allSettled`.",
    { node, key },
  );
}

function wrongShape(node: string, flights: readonly { readonly key: string }[], answer: unknown): LoadError {
  const got = Array.isArray(answer) ? `a list of ${answer.length}` : typeName(answer);
  return new LoadError(
    "CACHEME_LOAD_SHAPE",
    `loadAll of node "${node}" must return a list of ${flights.length}, got ${got}. Return it ` +
      "in the nodes' order, with a value for each node, or an Error for that node alone.",
    { node, key: flights[0]?.key },
  );
}
