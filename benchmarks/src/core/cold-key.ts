import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createCache } from "async-cache-dedupe";
import { Redis } from "ioredis";
import { Loader, RedisCache } from "layered-loader";
import { interleaved, processorTime } from "../interleaved.js";
import { type Payload, payload } from "../payload.js";
import { type Build, open, payloadNode } from "./build.js";

const readers = 10_000;

/** Reads the key of this number with so many concurrent readers, and settles when `gate` lets the load end. */
type Read = (id: number) => Promise<unknown>;

/** The time and the live heap of 10,000 readers of one key that no tier has. */
export async function coldKey(builds: readonly Build[], url: string): Promise<void> {
  console.log("\n10,000 readers of one cold key: time as a ratio to this checkout, live heap a reader");
  let gate = Promise.resolve();
  const load = async () => {
    await gate;
    return payload;
  };
  const client = new Redis(url);
  const spaces = [];
  const reads: [name: string, read: Read][] = [];
  for (const [index, build] of builds.entries()) {
    const space = await open(build, url, `cold-${process.pid}-${index}`);
    const PayloadNode = await payloadNode(build, ["local", "redis"], load);
    reads.push([build.name, (id) => space.get(new PayloadNode(id))]);
    spaces.push(space);
  }
  const loader = new Loader<Payload>({
    inMemoryCache: {
      cacheId: `layered-${process.pid}`,
      cacheType: "lru-object",
      ttlInMsecs: 3_600_000,
      maxItems: 10_000,
    },
    asyncCache: new RedisCache<Payload>(client, {
      json: true,
      ttlInMsecs: 3_600_000,
      prefix: `layered-${process.pid}`,
    }),
    dataSourceGetOneFn: load,
  });
  reads.push(["layered-loader", (id) => loader.get(`${id}`)]);
  const dedupe = createCache({ ttl: 3_600, storage: { type: "redis", options: { client } } }).define(
    "value",
    {},
    (_key: string) => load(),
  );
  reads.push(["async-cache-dedupe", (id) => dedupe.value(`${process.pid}-${id}`)]);

  let next = 0;
  const heaps = new Map<string, number>();
  for (const [name, read] of reads) heaps.set(name, await heapOf(read));
  const variants = reads.map(([, read]) => async () => {
    for (let round = 0; round < 10; round++) {
      next += 1;
      await Promise.all(Array.from({ length: readers }, () => read(next)));
    }
  });
  const ratios = [1, ...(await interleaved(variants, processorTime, { rounds: 9 }))];
  for (const [index, [name]] of reads.entries()) {
    console.log(name.padEnd(44), ratios[index]?.toFixed(2), `${heaps.get(name)?.toFixed(0)} B`);
  }
  for (const space of spaces) await space.close();
  client.disconnect();

  /** Bytes of live heap a reader while the load runs. */
  async function heapOf(read: Read): Promise<number> {
    const sizes: number[] = [];
    for (let round = 0; round < 5; round++) {
      let open = () => {};
      next += 1;
      await read(next);
      gate = new Promise<void>((resolve) => {
        open = resolve;
      });
      next += 1;
      const before = liveHeap();
      const waiting = Array.from({ length: readers }, () => read(next));
      await new Promise((resolve) => setTimeout(resolve, 100));
      sizes.push((liveHeap() - before) / readers);
      open();
      gate = Promise.resolve();
      await Promise.all(waiting);
    }
    return sizes.toSorted((one, other) => one - other)[2] ?? Number.NaN;
  }
}

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

function liveHeap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
