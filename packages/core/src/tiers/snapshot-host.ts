import type { Clock } from "../clock.js";
import type { Events } from "../events.js";
import type { SnapshotHost, SnapshotTags } from "../storage/local-snapshot.js";

/** Returns the space as the snapshot of a local storage needs it. */
export function snapshotHost(
  storage: string,
  clock: Clock,
  events: Events,
  tags: SnapshotTags,
): SnapshotHost {
  return {
    storage,
    clock,
    tags,
    saved: (file, report) => events.emit("snapshot", { storage, file, operation: "save", ...report }),
    restored: (file, report) => events.emit("snapshot", { storage, file, operation: "read", ...report }),
    failed: (file, operation, fault, error) =>
      events.emit("snapshotError", { storage, file, operation, fault, error }),
  };
}
