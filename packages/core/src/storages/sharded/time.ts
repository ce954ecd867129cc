import type { ShardMember } from "./shard.js";

/**
 * Reads the clock of the first shard by name that can be reached. The order of names is the same in
 * every process, whatever the order of its list. So all processes read one clock. Each record
 * expires by the clock of its own shard. So the times of a record are as exact as the shards'
 * clocks are close.
 *
 * Calls all shards at once, because a shard that hangs must not add its deadline to the next one's.
 *
 * @throws the first shard's error, if no shard answers
 */
export async function shardedTime(members: readonly ShardMember[]): Promise<number> {
  const byName = [...members].sort((a, b) => (a.name < b.name ? -1 : 1));
  const times = byName.map(({ storage }) => storage.time());
  // The loop below waits for each in its turn. Until then its rejection must count as handled.
  for (const time of times) time.catch(() => {});
  let first: unknown;
  for (const time of times) {
    try {
      return await time;
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}
