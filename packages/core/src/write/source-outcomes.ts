import { isError, SaveError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import { isThenable } from "../node/thenable.js";

/** A value that the source has not taken, or may not have taken. */
export interface SourceFailure {
  readonly error: unknown;
  /**
   * Settles when the call that took too long has ended, so that the source may have the value;
   * `undefined` if the source has refused the value.
   */
  readonly late: Promise<void> | undefined;
}

/** The outcome of each entry, in their order; `undefined` for a value that the source has. */
export type SourceOutcomes = readonly (SourceFailure | undefined)[];

/**
 * Returns the outcome of each value in the answer of a `save` or a `saveAll`. A database client may
 * answer anything. But nothing counts as saved that the answer calls failed: by an error, by a
 * rejected outcome of `Promise.allSettled`, or by a promise whose outcome is unknown.
 */
export function outcomesOf(node: string, keys: readonly string[], answer: unknown): SourceOutcomes {
  if (isError(answer)) return keys.map(() => ({ error: answer, late: undefined }));
  if (!Array.isArray(answer)) return keys.map(() => undefined);
  const outcomes = Array.from(answer, (outcome: unknown, place) =>
    outcomeOf(node, keys[place] ?? "", outcome),
  );
  if (answer.length === keys.length) return outcomes;
  if (outcomes.every((outcome) => outcome === undefined)) return keys.map(() => undefined);
  const error = otherLength(node, keys, answer.length);
  return keys.map(() => ({ error, late: Promise.resolve() }));
}

function outcomeOf(node: string, key: string, outcome: unknown): SourceFailure | undefined {
  if (isError(outcome)) return { error: outcome, late: undefined };
  if (isRejected(outcome)) return { error: outcome.reason, late: undefined };
  if (!isThenable(outcome)) return undefined;
  Promise.resolve(outcome).catch(nothing); // Its own failure does not matter any more.
  return { error: promiseInList(node, key), late: Promise.resolve() };
}

/** Returns whether it is an outcome of `Promise.allSettled`, and no row that has a status. */
function isRejected(outcome: unknown): outcome is PromiseRejectedResult {
  return (
    typeof outcome === "object" &&
    outcome !== null &&
    "status" in outcome &&
    outcome.status === "rejected" &&
    "reason" in outcome &&
    Object.keys(outcome).length === 2
  );
}

function promiseInList(node: string, key: string): SaveError {
  return new SaveError(
    "CACHEME_SAVE_SHAPE",
    `saveAll of node "${node}" answered with a promise for ${nodeLabel(node, key)}, so the outcome ` +
      "is unknown. Wait for the writes with `await Promise.all(…)`, or answer with an Error for each value that failed.",
    { node, key },
  );
}

function otherLength(node: string, keys: readonly string[], length: number): SaveError {
  return new SaveError(
    "CACHEME_SAVE_SHAPE",
    `The save of node "${node}" answered with a failure in a list of ${length}, for ${keys.length} ` +
      `value${keys.length === 1 ? "" : "s"}, so it is unknown which ones the source has. ` +
      "Answer with one outcome for each value, in their order, or throw.",
    { node, key: keys[0] },
  );
}

function nothing(): void {}
