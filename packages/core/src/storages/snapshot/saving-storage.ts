import type { SnapshotReport } from "../../snapshot-report.js";
import type { LocalStorage } from "../../storage/local-storage.js";

/** A local storage with the option `snapshot`. */
export interface SavingStorage extends LocalStorage {
  /**
   * Saves the entries to the file now, in small pieces between which the program goes on. Calls
   * during a save share the next one.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` if the storage is not registered yet
   * @throws StorageError `CACHEME_STORAGE_FAILED` if the file could not be written; the older one
   *   stays. `CACHEME_CLOSED` once the storage is closed
   * @example
   * ```ts
   * const local = memory({ snapshot: "/var/lib/app/cache.snapshot" });
   * await registerStorage("local", local);
   * const { entries } = await local.saveSnapshot();
   * ```
   */
  saveSnapshot(): Promise<SnapshotReport>;
}
