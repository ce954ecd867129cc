import type { ScanPage } from "./driver.js";
import type { StorageCall } from "./storage-calls.js";

/** A page of a scan in the order of the keys. */
export interface KeyPage {
  readonly keys: readonly string[];
  /** The last key that the database looked at; `undefined` at the end of the range. */
  readonly last: string | undefined;
}

/**
 * Scans in the order of the keys: each page begins after the last key of the page before. For
 * authors of storages.
 *
 * @param first the first key, or the beginning of it
 * @param page as `Driver.scan` gets it
 * @param read reads the keys from one on
 */
export async function* keyPages(
  first: string,
  page: ScanPage,
  read: (from: string, call: StorageCall) => Promise<KeyPage>,
): AsyncGenerator<readonly string[]> {
  for (let from: string | undefined = first; from !== undefined; ) {
    const start: string = from;
    const { keys, last } = await page((call) => read(start, call));
    yield keys;
    from = last === undefined ? undefined : justAfter(last);
  }
}

/** Returns the next key: no key is between, because no key has a control character. */
function justAfter(key: string): string {
  return `${key}\u0001`;
}
