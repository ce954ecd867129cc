import type { BoundedCache } from "@cacheme/memory";
import type { SnapshotHost } from "../../storage/local-snapshot.js";
import type { LocalEntry } from "../../storage/local-storage.js";
import type { Changes } from "./changes.js";
import type { Owners } from "./owners.js";
import type { SnapshotSettings } from "./snapshot-options.js";

/** The parts that one save or restoration uses. */
export interface SnapshotParts {
  readonly cache: BoundedCache<string, LocalEntry>;
  readonly owners: Owners;
  readonly settings: SnapshotSettings;
  readonly host: SnapshotHost;
  /** The changes since the file that is written or read. */
  readonly changes: Changes;
}
