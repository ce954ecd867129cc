import { redis } from "@cacheme/redis";
import { server } from "@cacheme/test-services";
import { Cacheme, defineNode } from "cacheme";
import { Redis } from "ioredis";
import { interleaved, processorTime, wallTime } from "../interleaved.js";
import { patient, patientClient } from "../patient.js";
import { payload } from "../payload.js";

/**
 * Compares `warm` of 100,000 nodes on an empty Redis with `Promise.all` of `get`s in chunks of
 * 1,000. Above 1 is faster. Each value is loaded by `loadAll` and stored.
 */
const count = 100_000;
const chunk = 1_000;

const payloadNode = defineNode({
  name: "payload",
  caches: [{ storage: "redis", ttl: "1h" }],
  key: (id: number) => `${id}`,
  loadAll: (ids) => ids.map(() => payload),
});

const redisServer = await server("redis");
const client = new Redis(redisServer.url);
const cacheme = new Cacheme();
await cacheme.registerStorage("redis", redis(redisServer.url, patientClient), patient);

async function gets(): Promise<void> {
  await client.flushdb();
  for (let first = 0; first < count; first += chunk) {
    const nodes = Array.from({ length: chunk }, (_, id) => payloadNode(first + id));
    await Promise.all(nodes.map((node) => cacheme.get(node)));
  }
}

async function warms(): Promise<void> {
  await client.flushdb();
  const { warmed } = await cacheme.warm(Array.from({ length: count }, (_, id) => payloadNode(id)));
  if (warmed !== count) throw new Error(`Expected ${count} warmed nodes, got ${warmed}.`);
}

console.log("warm of 100,000 nodes on Redis: speed as a ratio to Promise.all of gets in chunks of 1,000\n");
for (const [name, time] of [
  ["processor time", processorTime],
  ["wall time", wallTime],
] as const) {
  const [ratio = Number.NaN] = await interleaved([gets, warms], time, { rounds: 3, warmup: 1 });
  console.log(name.padEnd(20), (1 / ratio).toFixed(2));
}
client.disconnect();
await cacheme.close();
await redisServer.stop();
