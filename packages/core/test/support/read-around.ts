import { type Deferred, settled } from "./deferred.js";

/**
 * Reads before and after an invalidation, both while the first load is under way.
 *
 * @param loading holds the first load
 */
export async function readAround<V>(
  read: () => Promise<V>,
  invalidate: () => Promise<unknown>,
  loading: Deferred<void>,
): Promise<readonly [early: V, late: V]> {
  const early = read();
  await settled();
  await invalidate();
  const late = read();
  await settled();
  loading.resolve();
  return [await early, await late];
}
