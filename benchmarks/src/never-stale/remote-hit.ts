import { server } from "@cacheme/test-services";
import { Node } from "cacheme";
import { Redis } from "ioredis";
import { interleaved, processorTimeWith, wallTime } from "../interleaved.js";
import { payloadClass } from "../payload.js";
import { expectHits, fill, openSpace } from "./space.js";

const caches = [{ storage: "redis", ttl: "1h" }] as const;

/** Two tags of every node, and two tags that a node has for itself. */
const taggings = {
  "two tags of all nodes": () => ["payloads", "everything"],
  "two tags of ten nodes each": (id: number) => [`team:${id % 10}`, `group:${Math.floor(id / 10)}`],
  "two tags of each node alone": (id: number) => [`one:${id}`, `other:${id}`],
};

/**
 * A hit on Redis with leases and two tags, as a ratio to one with neither.
 *
 * @param isIdle whether the machine has nothing else to do, so that wall time counts
 */
export async function remoteHit(inFlight: number, isIdle: boolean): Promise<void> {
  const redisServer = await server("redis");
  const client = new Redis(redisServer.url);
  const readsPerRound = inFlight === 1 ? 3_000 : 20_000;
  const classes = [await payloadClass(Node, { caches, lease: false })];
  for (const tags of Object.values(taggings)) classes.push(await payloadClass(Node, { caches }, { tags }));
  const spaces = await Promise.all(classes.map((_, index) => openSpace(`hit-${index}`, redisServer.url)));
  const rounds = [];
  for (const [index, PayloadNode] of classes.entries()) {
    const cacheme = spaces[index] as (typeof spaces)[number]; // A space for each class.
    await fill(cacheme, PayloadNode, inFlight);
    const ids = Array.from({ length: inFlight }, (_, id) => id);
    rounds.push(async () => {
      for (let done = 0; done < readsPerRound; done += inFlight) {
        await Promise.all(ids.map((id) => cacheme.get(new PayloadNode(id))));
      }
    });
  }
  const time = isIdle ? wallTime : processorTimeWith(client);
  const ratios = await interleaved(rounds, time, { rounds: 15 });
  for (const [index, cacheme] of spaces.entries()) {
    expectHits(cacheme, classes[index] as (typeof classes)[number]);
    await cacheme.close();
  }
  client.disconnect();
  await redisServer.stop();
  for (const [index, tagging] of Object.keys(taggings).entries()) {
    const what = `Redis hit, ${inFlight} in flight, ${tagging}`;
    console.log(what.padEnd(64), ratios[index]?.toFixed(2), "(aim: 1.25)");
  }
}
