import type { StoredTouch } from "../../storage/remote-storage.js";
import { byShard, type ShardMember } from "./shard.js";

/** Touches records in their shards. A shard that is down answers that it has none. */
export async function touchIn(
  touches: readonly StoredTouch[],
  ownerOf: (key: string) => ShardMember,
): Promise<readonly boolean[]> {
  const found = new Array<boolean>(touches.length).fill(false);
  const parts = byShard(touches, ({ key }) => ownerOf(key));
  await Promise.all(
    Array.from(parts, async ([{ storage }, places]) => {
      const part = places.map(({ item }) => item);
      const answers = await storage.touchMany?.(part).catch(() => undefined);
      for (const [index, { place }] of places.entries()) found[place] = answers?.[index] === true;
    }),
  );
  return found;
}
