import { IncompleteError, sentence } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { FailedTier } from "./store.js";

/** Some tiers of a key that a call did not reach. */
interface Unreached {
  readonly name: string;
  readonly key: string;
  readonly failed: readonly FailedTier[];
}

/** @throws IncompleteError `CACHEME_WRITE_INCOMPLETE` if a tier was not reached */
export function refuseIncompleteWrite(unreached: Unreached): void {
  const { name, key, failed } = unreached;
  const [first] = failed;
  if (first === undefined) return;
  const storages = failed.map(({ storage }) => storage);
  throw new IncompleteError(
    "CACHEME_WRITE_INCOMPLETE",
    `${nodeLabel(name, key)} may not be stored in ${storages.join(", ")}: ` +
      `${sentence(first.error.message)} Set it again when the storage is back, or invalidate it.`,
    storages,
    { node: name, key, storage: first.storage, cause: first.error },
  );
}

/** @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a tier was not reached for one of the keys */
export function refuseIncompleteInvalidation(all: readonly Unreached[]): void {
  const stale = all.filter(({ failed }) => failed.length > 0);
  const [unreached] = stale;
  const [first] = unreached?.failed ?? [];
  if (unreached === undefined || first === undefined) return;
  const { name, key } = unreached;
  const storages = [...new Set(stale.flatMap(({ failed }) => failed.map(({ storage }) => storage)))];
  const others = stale.length > 1 ? ` and ${stale.length - 1} more` : "";
  throw new IncompleteError(
    "CACHEME_INVALIDATION_INCOMPLETE",
    `${nodeLabel(name, key)}${others} may remain in ${storages.join(", ")}, which could not be reached: ` +
      `${sentence(first.error.message)} The other tiers are done. Invalidate again when the storage is back.`,
    storages,
    { node: name, key, storage: first.storage, cause: first.error },
  );
}
