import { server } from "@cacheme/test-services";
import { type Cacheme, memoryBus, Node } from "cacheme";
import { interleaved, processorTime } from "../interleaved.js";
import { type PayloadNodeClass, payloadClass } from "../payload.js";
import { expectHits, fill, openSpace } from "./space.js";

const readsPerRound = 100_000;
const ttl = "1h";

/** A local hit of a class with two tags and a bus, as a ratio to one without. */
export async function localHit(keys: number): Promise<void> {
  const redisServer = await server("redis");
  for (const storages of [["local"], ["local", "redis"]]) {
    const caches = storages.map((storage) => ({ storage, ttl }) as const);
    const url = storages.length > 1 ? redisServer.url : undefined;
    const plain = await openSpace("plain", url);
    const tagged = await openSpace("tagged", url);
    await tagged.registerBus(memoryBus());
    const PlainNode = await payloadClass(Node, { caches });
    const TaggedNode = await payloadClass(
      Node,
      { caches },
      { tags: (id) => ["payloads", `team:${id % 100}`] },
    );
    const rounds = [await reads(plain, PlainNode, keys), await reads(tagged, TaggedNode, keys)];
    const [ratio = Number.NaN] = await interleaved(rounds, processorTime, { rounds: 21 });
    expectHits(plain, PlainNode);
    expectHits(tagged, TaggedNode);
    await plain.close();
    await tagged.close();
    const what = `local hit, ${keys.toLocaleString("en")} keys, tiers: ${storages.join(", ")}`;
    console.log(what.padEnd(64), ratio.toFixed(2), "(aim: 1.15)");
  }
  await redisServer.stop();
}

/** Stores the keys, and returns a round of reads. */
async function reads(cacheme: Cacheme, PayloadNode: PayloadNodeClass, keys: number) {
  await fill(cacheme, PayloadNode, keys);
  return async () => {
    for (let read = 0; read < readsPerRound; read++) {
      await cacheme.get(new PayloadNode((read * 7919) % keys));
    }
  };
}
