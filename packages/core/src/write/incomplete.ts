import { IncompleteError, sentence } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import { shownKey } from "../shown-key.js";
import type { FailedTier } from "./failed-tier.js";

/** Some tiers of a key that a call did not reach. */
export interface Unreached {
  readonly name: string;
  readonly key: string;
  readonly failed: readonly FailedTier[];
}

/** Returns `CACHEME_WRITE_INCOMPLETE` if a tier was not reached. */
export function incompleteWrite(unreached: Unreached): IncompleteError | undefined {
  const { name, key, failed } = unreached;
  const [first] = failed;
  if (first === undefined) return undefined;
  const storages = failed.map(({ storage }) => storage);
  return new IncompleteError(
    "CACHEME_WRITE_INCOMPLETE",
    `${nodeLabel(name, key)} may not be stored in ${storages.join(", ")}: ` +
      `${sentence(first.error.message)} Set it again when the storage is back. Until then Cacheme repeats the removal of the old value.`,
    storages,
    { node: name, key, storage: first.storage, cause: first.error },
    allSettled(failed),
  );
}

/** Returns `CACHEME_WRITE_INCOMPLETE` if the source has a value, and a tier may have an older one. */
export function incompleteSave({ name, key, failed }: Unreached): IncompleteError | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const storages = failed.map(({ storage }) => storage);
  return new IncompleteError(
    "CACHEME_WRITE_INCOMPLETE",
    `The source has the saved value of ${nodeLabel(name, key)}, but ${storages.join(", ")} could not be reached and may have an ` +
      `older one: ${sentence(first.error.message)} Cacheme repeats the removal of the older value until it succeeds.`,
    storages,
    { node: name, key, storage: first.storage, cause: first.error },
    allSettled(failed),
  );
}

/** Returns `CACHEME_INVALIDATION_INCOMPLETE` if the removal of a pattern did not reach a storage. */
export function incompleteMatching(
  pattern: string,
  failed: readonly FailedTier[],
): IncompleteError | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const storages = [...new Set(failed.map(({ storage }) => storage))];
  return new IncompleteError(
    "CACHEME_INVALIDATION_INCOMPLETE",
    `Entries that match ${shownKey(pattern)} may remain in ${storages.join(", ")}: ` +
      `${sentence(first.error.message)} The other storages are done. Invalidate again when the storage is back.`,
    storages,
    { storage: first.storage, cause: first.error },
  );
}

/** Returns `CACHEME_INVALIDATION_INCOMPLETE` if an invalidation of tags did not reach a storage. */
export function incompleteTags(
  tags: readonly string[],
  failed: readonly FailedTier[],
): IncompleteError | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const storages = failed.map(({ storage }) => storage);
  const others = tags.length > 1 ? ` and ${tags.length - 1} more` : "";
  return new IncompleteError(
    "CACHEME_INVALIDATION_INCOMPLETE",
    `Entries of the tag ${shownKey(tags[0] ?? "")}${others} may remain in ${storages.join(", ")}, which could not be reached: ` +
      `${sentence(first.error.message)} The other storages are done. Cacheme repeats the invalidation until it succeeds.`,
    storages,
    { storage: first.storage, cause: first.error },
    allSettled(failed),
  );
}

/** Returns `CACHEME_INVALIDATION_INCOMPLETE` if there are keys for which a tier was not reached. */
export function incompleteInvalidation(stale: readonly Unreached[]): IncompleteError | undefined {
  const [unreached] = stale;
  const [first] = unreached?.failed ?? [];
  if (unreached === undefined || first === undefined) return undefined;
  const { name, key } = unreached;
  const storages = [...new Set(stale.flatMap(({ failed }) => failed.map(({ storage }) => storage)))];
  const others = stale.length > 1 ? ` and ${stale.length - 1} more` : "";
  return new IncompleteError(
    "CACHEME_INVALIDATION_INCOMPLETE",
    `${nodeLabel(name, key)}${others} may remain in ${storages.join(", ")}, which could not be reached: ` +
      `${sentence(first.error.message)} The other tiers are done. Cacheme repeats the removal until it succeeds.`,
    storages,
    { node: name, key, storage: first.storage, cause: first.error },
    Promise.all(stale.map((each) => allSettled(each.failed))),
  );
}

function allSettled(failed: readonly FailedTier[]): Promise<unknown> {
  return Promise.all(failed.map(({ settled }) => settled));
}
