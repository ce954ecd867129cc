import { redis } from "@cacheme/redis";
import { server } from "@cacheme/test-services";
import { Cacheme, defineNode, memory } from "cacheme";
import { interleaved, processorTime } from "../interleaved.js";

/**
 * Measures the price of tags: hits of nodes with two tags as ratios to hits of nodes without, and
 * an invalidation of a tag that very many entries carry.
 */

const keys = 10_000;
const readsPerRound = 100_000;

/** Makes nodes with two tags, or without tags. */
function nodesIn(storage: "local" | "redis", hasTags: boolean) {
  return defineNode({
    name: hasTags ? "tagged" : "plain",
    key: (id: number) => `item-${id}`,
    ...(hasTags && { tags: (id: number) => [`team:${id % 10}`, "all"] }),
    load: (id) => ({ id, text: "x".repeat(150) }),
    caches: [{ storage, ttl: "1h" }],
  });
}

async function localHits(): Promise<number> {
  const cacheme = new Cacheme();
  await cacheme.registerStorage("local", memory({ maxSize: keys * 4 }));
  const variants = [false, true].map((hasTags) => {
    const item = nodesIn("local", hasTags);
    return async () => {
      for (let read = 0; read < readsPerRound; read++) await cacheme.get(item((read * 7919) % keys));
    };
  });
  const [ratio = Number.NaN] = await interleaved(variants, processorTime, { rounds: 31 });
  await cacheme.close();
  return ratio;
}

/** Reads 100 of 1,000 entries at once. */
async function remoteHits(url: string): Promise<number> {
  const cacheme = new Cacheme({ prefix: "bench-tags" });
  await cacheme.registerStorage("redis", redis(url));
  const variants = [false, true].map((hasTags) => {
    const item = nodesIn("redis", hasTags);
    return async () => {
      for (let batch = 0; batch < 100; batch++) {
        const ids = Array.from({ length: 100 }, (_, place) => (batch * 100 + place) % 1_000);
        await Promise.all(ids.map((id) => cacheme.get(item(id))));
      }
    };
  });
  const [ratio = Number.NaN] = await interleaved(variants, processorTime, { rounds: 31 });
  await cacheme.close();
  return ratio;
}

/** Returns the microseconds of an invalidation of a tag, with so many tagged entries. */
async function invalidation(entries: number): Promise<number> {
  const cacheme = new Cacheme();
  await cacheme.registerStorage("local", memory({ maxSize: entries + 1 }));
  const item = nodesIn("local", true);
  let spent = 0;
  const rounds = 5;
  for (let round = 0; round < rounds; round++) {
    if (round === 0) {
      for (let id = 0; id < entries; id += 1_000)
        await cacheme.getAll(
          Array.from({ length: Math.min(1_000, entries) }, (_, place) => item(id + place)),
        );
    }
    const began = performance.now();
    await cacheme.invalidateTags(`team:${round}`);
    spent += performance.now() - began;
  }
  await cacheme.close();
  return (spent * 1_000) / rounds;
}

const redisServer = await server("redis");
try {
  console.log(`A local hit with two tags: ${(await localHits()).toFixed(2)} of one without`);
  console.log(
    `A hit on Redis with two tags: ${(await remoteHits(redisServer.url)).toFixed(2)} of one without`,
  );
} finally {
  await redisServer.stop();
}
for (const entries of [10, 1_000_000])
  console.log(`invalidateTags over ${entries} entries: ${(await invalidation(entries)).toFixed(0)} µs`);
