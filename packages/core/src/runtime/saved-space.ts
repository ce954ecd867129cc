import { nextLocalSpace } from "../shared-state.js";
import type { SnapshotOwner } from "../storage/local-snapshot.js";
import type { NodeKind } from "./node-kind.js";

/** The parts of a kind that decide its space. */
type Owner = Pick<NodeKind, "fingerprint" | "formats" | "localTiers" | "meta" | "remoteTiers" | "storageKey">;

/**
 * Returns the number of the kind's entries in local storages. A storage that has restored entries
 * of the kind tells theirs.
 *
 * @param hearsNews returns whether a bus brings news of the kind's entries
 */
export function spaceIn(kind: Owner, hearsNews: () => boolean): number {
  const owner: SnapshotOwner = {
    id: kind.storageKey(""),
    storageKey: (key) => kind.storageKey(key),
    format: { serializer: kind.meta.serializer, fingerprint: kind.fingerprint },
    formatOf: (bytes) => kind.formats.of(bytes),
    get isAlone() {
      return kind.remoteTiers.length === 0 && !hearsNews();
    },
  };
  let space: number | undefined;
  for (const { storage } of kind.localTiers) {
    space = storage.snapshot?.adopt(owner, () => space ?? nextLocalSpace()) ?? space;
  }
  return space ?? nextLocalSpace();
}
