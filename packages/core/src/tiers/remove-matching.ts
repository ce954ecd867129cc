import type { KeyPattern } from "../storage/key-pattern.js";
import type { RemoteBatch } from "./remote-batch.js";

/**
 * Removes all keys that match a pattern, page by page. Each call has the storage's deadline.
 *
 * @returns the number of removed records
 * @throws the storage's error; some pages may be done
 */
export async function removeMatching({ storage, guard }: RemoteBatch, pattern: KeyPattern): Promise<number> {
  const pages = storage.scan?.(pattern)[Symbol.asyncIterator]();
  let count = 0;
  while (pages !== undefined) {
    const page = await guard.run("scan", () => pages.next());
    if (page.done === true) break;
    count += await guard.run("remove", () => storage.removeMany(page.value));
  }
  return count;
}
