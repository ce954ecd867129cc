/**
 * Runs every kind of work with thousands of keys, round after round, and prints the memory that
 * remains in use.
 */
import { setImmediate } from "node:timers/promises";
import {
  Cacheme,
  type CacheTier,
  type LoadAll,
  type LoadContext,
  memory,
  Node,
  type NodeMeta,
} from "../../src/index.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { VirtualClock } from "../support/virtual-clock.js";

const clock = new VirtualClock();
const remote = new SimulatedRemote(clock);
const cacheme = new Cacheme({ clock });
await cacheme.registerStorage("local", memory({ maxSize: 100 }));
await cacheme.registerStorage("remote", remote);

const local: CacheTier = { storage: "local", ttl: "1m" };
const caches: readonly CacheTier[] = [local, { storage: "remote", ttl: "10m" }];

class Value extends Node<unknown> {
  static override meta: NodeMeta = { name: "value", caches, loadTimeout: "5s" };
  constructor(readonly id: number) {
    super();
    made.push(new WeakRef(this));
  }
  key() {
    return `${this.id}`;
  }
  override async load(_: LoadContext): Promise<unknown> {
    return { id: this.id };
  }
}

class Limited extends Value {
  static override meta: NodeMeta = { name: "limited", caches, concurrency: 3 };
}

class Batched extends Value {
  static override meta: NodeMeta = { name: "batched", caches, maxBatchSize: 10 };
  static override loadAll: LoadAll<Batched> = async (nodes) =>
    nodes.map((node) => (node.id % 3 === 0 ? new Error("no") : node.id));
}

class Local extends Value {
  static override meta: NodeMeta = { name: "local", caches: [local], doorkeeper: { size: 1_000 } };
}

/** Every node that was made, to see which are still held. */
let made: WeakRef<Value>[] = [];
let next = 0;
const ids = (count: number) => Array.from({ length: count }, () => next++);

const leaving = (context: LoadContext) =>
  new Promise((_, reject) => {
    context.signal.addEventListener("abort", () => reject(context.signal.reason));
  });

/** The kinds of work. Each promise settles when everything that the work began has ended. */
const works: Record<string, (id: number) => Promise<unknown>> = {
  reads: (id) => Promise.all([cacheme.get(new Value(id)), cacheme.get(new Value(id))]),
  batches: (id) => cacheme.getAllSettled([new Batched(id), new Value(id), new Batched(id + 1)]),
  limits: (id) => cacheme.getAll([new Limited(id), new Limited(id + 1)]),
  refreshes: (id) =>
    Promise.all([
      cacheme.refresh(new Value(id)),
      cacheme.get(new Value(id)),
      cacheme.get(new Value(id), { fresh: true }),
    ]),
  ages: (id) => cacheme.get(new Value(id), { maxAge: "1s" }),
  fails: (id) => cacheme.get(new Value(id), { load: () => Promise.reject(new Error("no")) }),
  throws: (id) =>
    cacheme.get(new Value(id), {
      load: () => {
        throw new Error("no");
      },
    }),
  nests: (id) => cacheme.get(new Value(id), { load: () => cacheme.get(new Limited(id)) }),
  cycles: (id) => cacheme.get(new Value(id), { load: () => cacheme.get(new Value(id)) }),
  sets: (id) => Promise.all([cacheme.set(new Value(id), 1), cacheme.set(new Value(id), 2, { ttl: 50 })]),
  refuses: (id) => cacheme.set(new Value(id), () => {}),
  invalidates: (id) =>
    Promise.all([cacheme.get(new Value(id)), cacheme.invalidate(new Value(id), new Limited(id))]),
  peeks: (id) => cacheme.peek(new Value(id)),
  sync: async (id) => cacheme.getSync(new Local(id) as never, { load: () => id } as never),
  async aborts(id) {
    const controller = new AbortController();
    const read = cacheme.get(new Value(id), { signal: controller.signal, load: leaving });
    const waits = cacheme.get(new Limited(id), { signal: controller.signal });
    await setImmediate();
    controller.abort();
    await Promise.allSettled([read, waits]);
  },
  async timesOut(id) {
    const read = cacheme.get(new Value(id), { load: () => new Promise(() => {}) });
    const outcome = Promise.allSettled([read]);
    await setImmediate();
    await setImmediate();
    clock.advance(5_000);
    await outcome;
  },
  async trouble(id) {
    remote.gate = () => Promise.reject(new Error("gone"));
    await Promise.allSettled([cacheme.get(new Value(id)), cacheme.invalidate(new Value(id))]);
    remote.gate = () => {};
    // The storage's breaker closes after its pause.
    clock.advance(60_000);
    await setImmediate();
    // A key that could not be removed is distrusted until it is removed.
    await cacheme.invalidate(new Value(id));
  },
};

async function round(work: (id: number) => Promise<unknown>, count: number): Promise<void> {
  await Promise.allSettled(ids(count).map(work));
  remote.records.clear();
  remote.calls.length = 0;
}

const { gc } = globalThis;
if (gc === undefined) throw new Error("Run this with --expose-gc.");

/** Collects garbage twice, because jobs that end in this turn are only released in the next. */
async function collect(): Promise<void> {
  await setImmediate();
  gc?.();
}

/** The smallest number of nodes held after a round, for each kind of work. */
const held: Record<string, number> = {};
const heaps: number[] = [];
for (let pass = 0; pass < 9; pass++) {
  for (const [name, work] of Object.entries(works)) {
    made = [];
    await round(work, 200);
    await collect();
    const still = made.filter((node) => node.deref() !== undefined).length;
    held[name] = Math.min(held[name] ?? still, still);
  }
  made = [];
  await collect();
  await collect();
  heaps.push(Math.round(process.memoryUsage().heapUsed / 1_024));
}
console.log(JSON.stringify({ held, heaps, timers: clock.pending }));
