import type { StoredRecord } from "../storage/remote-storage.js";
import type { Driver } from "./driver.js";
import { FailedKeys, KeyFailures } from "./failed-keys.js";

/**
 * The reason why a database cannot store a record: it has too many bytes. For authors of storages,
 * as `Driver.refusalOf`. Its `code` is a key of the advice in an `errorTable`.
 */
export class RecordTooLarge extends Error {
  override readonly name = "RecordTooLarge";
  readonly code = "RecordTooLarge";
}

/**
 * Stores the records that the driver does not refuse, and then rejects with the refused ones.
 *
 * @param store stores a batch that is not empty
 */
export async function storeFitting<R extends StoredRecord, Answer>(
  driver: Pick<Driver, "refusalOf">,
  records: readonly R[],
  store: (fitting: readonly R[]) => Promise<Answer>,
): Promise<Answer> {
  const refuses = (record: R): boolean => driver.refusalOf?.(record) !== undefined;
  if (driver.refusalOf === undefined || !records.some(refuses)) return store(records);
  const failures = new KeyFailures(records.length);
  const fitting = records.filter((record) => {
    const refusal = driver.refusalOf?.(record);
    if (refusal !== undefined) failures.add(record.key, refusal);
    return refusal === undefined;
  });
  if (fitting.length > 0) await store(fitting).catch((error: unknown) => addFailed(failures, error));
  throw failures.error();
}

/** Adds the keys that the database itself refused. */
function addFailed(failures: KeyFailures, error: unknown): void {
  if (!(error instanceof FailedKeys)) throw error;
  for (const key of error.keys) failures.add(key, error.first);
}
