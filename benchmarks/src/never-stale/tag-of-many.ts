import { server } from "@cacheme/test-services";
import { type Cacheme, Node } from "cacheme";
import { interleaved, processorTime, wallTime } from "../interleaved.js";
import { payloadClass } from "../payload.js";
import { fill, openSpace } from "./space.js";

/** The rounds with the warm-up. Each has a tag of its own, which all entries carry. */
const rounds = 15;
const callsPerRound = 100;

/**
 * `invalidateTags` of a tag with many entries, as a ratio to one with a single entry.
 *
 * @param count the number of entries
 * @param isRemote whether they are in Redis too
 */
export async function tagOfMany(count: number, isRemote: boolean): Promise<void> {
  const redisServer = isRemote ? await server("redis") : undefined;
  const cacheme = await openSpace("tags", redisServer?.url);
  const caches = [{ storage: isRemote ? "redis" : "local", ttl: "1h" }] as const;
  const names = (kind: string) => Array.from({ length: rounds }, (_, round) => `${kind}:${round}`);
  const ofMany = names("many");
  const ofOne = names("one");
  const PayloadNode = await payloadClass(
    Node,
    { caches },
    { tags: (id) => (id < count ? ofMany : [ofOne[id - count] ?? ""]) },
  );
  await fill(cacheme, PayloadNode, count + rounds);
  const variants = [invalidations(cacheme, ofOne), invalidations(cacheme, ofMany)];
  const time = isRemote ? wallTime : processorTime;
  const warmup = 3;
  const [ratio = Number.NaN] = await interleaved(variants, time, { rounds: rounds - warmup, warmup });
  const misses = await missesOf(
    cacheme,
    [0, count - 1, count].map((id) => new PayloadNode(id)),
  );
  if (misses !== 3) throw new Error(`Expected 3 misses, got ${misses}: the tags were not invalidated.`);
  await cacheme.close();
  await redisServer?.stop();
  const what = `invalidateTags, ${count.toLocaleString("en")} entries ${isRemote ? "in Redis" : "in memory"}`;
  console.log(what.padEnd(64), ratio.toFixed(2), "(aim: 1)");
}

/** Returns a round, which invalidates the next tag, once for its entries and then without any. */
function invalidations(cacheme: Cacheme, tags: readonly string[]): () => Promise<void> {
  let round = 0;
  return async () => {
    const tag = tags[round++] as string; // There are as many tags as rounds.
    for (let call = 0; call < callsPerRound; call++) await cacheme.invalidateTags(tag);
  };
}

async function missesOf(cacheme: Cacheme, nodes: readonly Node[]): Promise<number> {
  const entries = await cacheme.peekAll(nodes);
  return entries.filter((entry) => entry === undefined).length;
}
