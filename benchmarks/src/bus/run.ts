import { Cacheme, memory, memoryBus, Node, type NodeMeta } from "cacheme";
import { interleaved, processorTime } from "../interleaved.js";

/**
 * Measures the price of the bus: a local hit of a class that the bus covers, as a ratio to one
 * without a bus, and the
 * processor time of an invalidation in the two processes together.
 */

interface Value {
  readonly id: number;
}

class Item extends Node<Value> {
  static override meta: NodeMeta = { name: "item", caches: [{ storage: "local", ttl: "1h" }] };
  readonly id: number;
  constructor(id: number) {
    super();
    this.id = id;
  }
  key() {
    return `item-${this.id}`;
  }
  override load() {
    return { id: this.id };
  }
}

const keys = 10_000;
const readsPerRound = 100_000;

async function space(): Promise<Cacheme> {
  const cacheme = new Cacheme();
  await cacheme.registerStorage("local", memory({ maxSize: keys * 2 }));
  return cacheme;
}

async function fill(cacheme: Cacheme): Promise<void> {
  for (let id = 0; id < keys; id++) await cacheme.get(new Item(id));
}

async function hits(): Promise<number> {
  const [plain, bound] = [await space(), await space()];
  await bound.registerBus(memoryBus());
  let sum = 0;
  const readsOf = (cacheme: Cacheme) => async () => {
    for (let read = 0; read < readsPerRound; read++)
      sum += (await cacheme.get(new Item((read * 7919) % keys))).id;
  };
  await Promise.all([fill(plain), fill(bound)]);
  const [ratio = Number.NaN] = await interleaved([readsOf(plain), readsOf(bound)], processorTime, {
    rounds: 31,
  });
  await Promise.all([plain.close(), bound.close()]);
  if (sum === 0) throw new Error("Expected values, read none.");
  return ratio;
}

/** Returns the microseconds for each key, in the sender and the receiver together. */
async function heard(): Promise<number> {
  const [sender, receiver] = [await space(), await space()];
  const bus = memoryBus();
  await Promise.all([sender.registerBus(bus), receiver.registerBus(bus)]);
  const nodes = Array.from({ length: keys }, (_, id) => new Item(id));
  let spent = 0;
  const rounds = 20;
  for (let round = 0; round < rounds; round++) {
    await fill(receiver);
    const before = process.cpuUsage();
    await sender.invalidate(nodes);
    while (receiver.peekLocal(new Item(keys - 1)) !== undefined) await new Promise(setImmediate);
    const { user, system } = process.cpuUsage(before);
    spent += user + system;
  }
  await Promise.all([sender.close(), receiver.close()]);
  return spent / rounds / keys;
}

console.log(`A local hit with the bus: ${(await hits()).toFixed(2)} of one without`);
console.log(
  `An invalidation, sent and heard: ${(await heard()).toFixed(2)} µs of the processor for each key`,
);
