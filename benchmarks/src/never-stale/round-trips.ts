import { server } from "@cacheme/test-services";
import { Node, type NodeMeta } from "cacheme";
import { payloadClass } from "../payload.js";
import { openSpace } from "./space.js";

const caches = [{ storage: "redis", ttl: "1h" }] as const;
const tags = () => ["payloads", "everything"];
const reads = 100;

/** The kinds of classes whose round trips are counted. */
const kinds: Record<string, { policy?: NodeMeta; tags?: () => string[] }> = {
  "without leases, no tags": { policy: { lease: false } },
  "without leases, two tags": { policy: { lease: false }, tags },
  "with leases, no tags": {},
  "with leases, two tags": { tags },
};

/** The round trips of a miss and of a hit on Redis, counted at a proxy. */
export async function roundTrips(): Promise<void> {
  const redisServer = await server("redis");
  const proxy = await redisServer.proxy();
  for (const [kind, { policy, tags }] of Object.entries(kinds)) {
    const PayloadNode = await payloadClass(Node, { ...policy, caches }, { tags });
    const cacheme = await openSpace(kind.replaceAll(/\W+/g, "-"), proxy.url);
    await cacheme.get(new PayloadNode(reads)); // The connection is open, and the clock is known.
    const count = async () => {
      proxy.resetCounts();
      for (let id = 0; id < reads; id++) await cacheme.get(new PayloadNode(id));
      return proxy.counts.roundTrips / reads;
    };
    const miss = await count();
    const hit = await count();
    await cacheme.close();
    console.log(`${`round trips, ${kind}`.padEnd(64)} a miss ${miss}, a hit ${hit}`);
  }
  await redisServer.stop();
}
