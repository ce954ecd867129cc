import { redis } from "@cacheme/redis";
import { server } from "@cacheme/test-services";
import { Cacheme, Node } from "cacheme";
import { Redis } from "ioredis";
import { interleaved, wallTime } from "../interleaved.js";
import { patient, patientClient } from "../patient.js";
import { type Payload, payloadClass, payloadOf } from "../payload.js";

/**
 * Measures concurrent reads from Redis: the throughput of `get(node)` with everything on (flight,
 * batch, envelope, MessagePack), as a ratio to ioredis with auto-pipelining, `get` and
 * `JSON.parse`. Above 1 is faster. All keys exist, and there is no local tier.
 */

/**
 * The reads of a round: some tenths of a second, so that V8 has compiled both variants before the
 * counted rounds.
 */
const readsPerRound = 20_000;

async function measure(url: string, bytes: number, inFlight: number): Promise<number> {
  const value = payloadOf(bytes);
  const PayloadNode = await payloadClass(Node, { caches: [{ storage: "redis", ttl: "1h" }] });
  const client = new Redis(url, { enableAutoPipelining: true });
  await using cacheme = new Cacheme();
  await cacheme.registerStorage("redis", redis(url, patientClient), patient);
  const ids = Array.from({ length: inFlight }, (_, id) => id);
  for (const id of ids) await client.set(`bare:${id}`, JSON.stringify(value));
  await cacheme.setAll(ids.map((id) => [new PayloadNode(id), value] as const));

  const repeated = async (readAll: () => Promise<unknown>) => {
    for (let done = 0; done < readsPerRound; done += inFlight) await readAll();
  };
  const readBare = async (id: number): Promise<Payload> =>
    JSON.parse((await client.get(`bare:${id}`)) ?? "null");
  const bare = () => repeated(() => Promise.all(ids.map(readBare)));
  const ours = () => repeated(() => Promise.all(ids.map((id) => cacheme.get(new PayloadNode(id)))));
  const [ratio = Number.NaN] = await interleaved([bare, ours], wallTime, { rounds: 15 });
  client.disconnect();
  if (cacheme.stats(PayloadNode).missCount > 0)
    throw new Error("Expected a hit for each read, got a miss: the measurement is invalid.");
  return 1 / ratio;
}

const redisServer = await server("redis");
console.log("get(node) on Redis: throughput as a ratio to bare auto-pipelined ioredis with JSON.parse\n");
for (const bytes of [200, 10_000]) {
  for (const inFlight of [1, 100, 1_000]) {
    const ratio = await measure(redisServer.url, bytes, inFlight);
    console.log(`${`${bytes} bytes, ${inFlight} in flight`.padEnd(28)} ${ratio.toFixed(2)}`);
  }
}
await redisServer.stop();
