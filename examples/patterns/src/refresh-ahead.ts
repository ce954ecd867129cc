import { setTimeout as pause } from "node:timers/promises";
import { Cacheme, defineNode, memory } from "cacheme";
import { Table } from "./table.js";

/** A read in the second half of a value's life loads it again behind the reader, who does not wait. */
export async function refreshAhead(): Promise<string> {
  const prices = new Table<number>();
  await prices.upsert(["tea", 3]);

  const price = defineNode({
    name: "price",
    caches: [{ storage: "local", ttl: "1s" }],
    refreshAhead: { threshold: 0.5 },
    key: (id: string) => id,
    load: async (id) => {
      await pause(100); // A slow source.
      return await prices.find(id);
    },
  });

  await using cacheme = new Cacheme();
  await cacheme.registerStorage("local", memory());
  let waited = 0;
  let reads = 0;
  for (const end = performance.now() + 3_000; performance.now() < end; await pause(20)) {
    reads += 1;
    if (cacheme.peekLocal(price("tea")) === undefined) waited += 1;
    await cacheme.get(price("tea"));
  }
  return `${waited} of ${reads} reads waited, for ${prices.reads} loads`;
}
