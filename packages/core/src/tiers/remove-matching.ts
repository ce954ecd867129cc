import type { KeyPattern } from "../storage/key-pattern.js";
import type { RemoteBatch } from "./remote-batch.js";

/** The steps of a removal by pattern. */
export interface MatchingSteps {
  /** Called before each page. May throw, which ends the removal. */
  readonly begins?: (() => void) | undefined;
  /** Returns whether to remove a key. Default: each key that matches. */
  readonly accepts?: ((key: string) => boolean) | undefined;
  /** Called after each page with the number of its removed records. */
  readonly removed?: ((count: number) => void) | undefined;
}

/**
 * Removes all keys that match a pattern, page by page. Each call has the storage's deadline.
 *
 * @returns the number of removed records
 * @throws the storage's error, or that of a step; some pages may be done
 */
export async function removeMatching(
  { storage, guard }: RemoteBatch,
  pattern: KeyPattern,
  { begins, accepts, removed }: MatchingSteps = {},
): Promise<number> {
  const pages = storage.scan?.(pattern)[Symbol.asyncIterator]();
  let count = 0;
  while (pages !== undefined) {
    begins?.();
    const page = await guard.run("scan", () => pages.next());
    if (page.done === true) break;
    const keys = accepts === undefined ? page.value : page.value.filter(accepts);
    if (keys.length === 0) continue;
    const ofPage = await guard.run("remove", () => storage.removeMany(keys));
    count += ofPage;
    removed?.(ofPage);
  }
  return count;
}
