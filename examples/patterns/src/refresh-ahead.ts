import { setTimeout as pause } from "node:timers/promises";
import { Cacheme, memory, Node, type NodeMeta } from "cacheme";
import { Table } from "./table.js";

/** A read in the second half of a value's life loads it again behind the reader, who does not wait. */
export async function refreshAhead(): Promise<string> {
  const prices = new Table<number>();
  await prices.upsert(["tea", 3]);

  class Price extends Node<number | undefined> {
    static override meta: NodeMeta = {
      name: "price",
      caches: [{ storage: "local", ttl: "1s" }],
      refreshAhead: { threshold: 0.5 },
    };
    constructor(readonly id: string) {
      super();
    }
    key() {
      return this.id;
    }
    override async load() {
      await pause(100); // A slow source.
      return await prices.find(this.id);
    }
  }

  await using cacheme = new Cacheme();
  await cacheme.registerStorage("local", memory());
  let waited = 0;
  let reads = 0;
  for (const end = performance.now() + 3_000; performance.now() < end; await pause(20)) {
    reads += 1;
    if (cacheme.peekLocal(new Price("tea")) === undefined) waited += 1;
    await cacheme.get(new Price("tea"));
  }
  return `${waited} of ${reads} reads waited, for ${prices.reads} loads`;
}
