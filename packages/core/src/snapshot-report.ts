/** The result of a save or a restoration, as `saveSnapshot` and the event `snapshot` tell it. */
export interface SnapshotReport {
  /** The number of entries with their values. */
  readonly entries: number;
  /** The number of entries without values, of classes whose values a remote tier has to prove. */
  readonly keys: number;
  /**
   * The number of entries that were left out: expired, beyond a limit, unreadable, or with a value
   * that the class's serializer cannot carry.
   */
  readonly leftOut: number;
  /** The length of the file. */
  readonly bytes: number;
  /** Milliseconds. */
  readonly duration: number;
}

/**
 * The reason why a snapshot was not read or saved:
 *
 * - `missing`: there is no file, as at the first start;
 * - `format`: the file is not a snapshot, or another version of Cacheme wrote it;
 * - `corrupt`: the file is torn or was changed;
 * - `size`: the file is larger than `maxBytes` allows;
 * - `taken`: another process uses the file now;
 * - `failed`: the file system refused.
 */
export type SnapshotFault = "missing" | "format" | "corrupt" | "size" | "taken" | "failed";
