import { BatchError, KeyError, StorageError } from "../../errors.js";

/**
 * The reason why a storage did not do what it was asked to:
 *
 * - `breaker-open`: it was not asked, because its circuit breaker is open;
 * - `deadline`: it did not answer in time;
 * - `unreachable`: no connection could be made;
 * - `failed`: it answered with an error, or with rubbish.
 */
export type TroubleReason = "breaker-open" | "deadline" | "unreachable" | "failed";

const unreachable: readonly string[] = [
  "CACHEME_CONNECT_FAILED",
  "CACHEME_CONNECT_REFUSED",
  "CACHEME_UNSUPPORTED_SERVER",
];

export function troubleReason(error: Error): TroubleReason {
  if (!(error instanceof StorageError)) return "failed";
  if (error.code === "CACHEME_BREAKER_OPEN") return "breaker-open";
  if (error.isLate) return "deadline";
  return unreachable.includes(error.code) ? "unreachable" : "failed";
}

/**
 * Returns whether the error shows that the storage does not answer, which counts for its breaker.
 * An error in the server's own words is an answer: a full server refuses writes and still answers
 * reads. An error of an unknown driver may mean anything, so it counts.
 */
export function isUnanswered(error: Error): boolean {
  if (error instanceof BatchError || error instanceof KeyError) return false;
  return !(error instanceof StorageError) || troubleReason(error) !== "failed";
}
