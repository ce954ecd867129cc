/**
 * Programs that have nothing to do after they have printed a word. They must end by themselves,
 * without close().
 */
import { Cacheme, memory, type NodeMeta, systemClock } from "../../src/index.js";
import { NumberedNode } from "../support/space.js";

const caches: NodeMeta["caches"] = [
  { storage: "local", ttl: "1h" },
  { storage: "second", ttl: "1d" },
];

class Value extends NumberedNode<number> {
  static override meta: NodeMeta = { name: "value", caches, loadTimeout: "1h" };
  override async load() {
    return this.id;
  }
}

class Endless extends Value {
  static override meta: NodeMeta = { name: "endless", caches, loadTimeout: false, concurrency: 1 };
  override load() {
    return new Promise<number>(() => {});
  }
}

class Slow extends Endless {
  static override meta: NodeMeta = { name: "slow", caches, loadTimeout: "50ms" };
}

class Left extends Endless {
  static override meta: NodeMeta = { name: "left", caches, loadTimeout: "1h" };
}

class Revalidated extends Slow {
  static loads = 0;
  static override meta: NodeMeta = {
    name: "revalidated",
    caches: [{ storage: "local", ttl: "1h" }],
    staleWhileRevalidate: "1h",
    loadTimeout: "800ms",
  };
  override load() {
    Revalidated.loads += 1;
    return Revalidated.loads === 1 ? Promise.resolve(1) : super.load();
  }
}

class Repeated extends Revalidated {
  static override meta: NodeMeta = {
    ...Revalidated.meta,
    name: "repeated",
    loadTimeout: false,
    retry: { times: 2, initialDelay: 400, maxDelay: 400 },
  };
  override async load() {
    Revalidated.loads += 1;
    if (Revalidated.loads === 2) throw new Error("once");
    return Revalidated.loads;
  }
}

const hour = 3_600_000;
let skew = 0;

const codeOf = (error: unknown) => (error as { code?: string }).code;

/** Begins a load in the background, and waits until its readers get no stale value any more. */
async function revalidate(node: Revalidated): Promise<void> {
  await cacheme.get(node);
  skew += 1.5 * hour;
  await cacheme.get(node);
  skew += hour;
}

const cacheme = new Cacheme({ clock: { ...systemClock, now: () => Date.now() + skew } });
await cacheme.registerStorage("local", memory());
await cacheme.registerStorage("second", memory({ maxSize: 10 }));

const scenarios: Record<string, () => unknown> = {
  async reads() {
    await cacheme.getAll(Array.from({ length: 100 }, (_, id) => new Value(id)));
    await cacheme.refresh(new Value(1));
    await cacheme.set(new Value(2), 3, { ttl: "2h" });
    await cacheme.invalidate(new Value(3));
  },
  async listens() {
    for (const event of ["hit", "miss", "load", "invalidate"] as const) cacheme.on(event, () => {});
    await cacheme.get(new Value(1), { signal: new AbortController().signal });
  },
  neverLoads() {
    // A load that is never answered keeps no program alive, because it holds no timer or socket.
    void cacheme.get(new Endless(1));
    void cacheme.get(new Endless(2));
    void cacheme.get(new Endless(3), { signal: new AbortController().signal });
  },
  async timesOut() {
    const error = await cacheme.get(new Slow(1)).catch((error: unknown) => error);
    console.log((error as { code?: string }).code);
  },
  async joinsLeftLoad() {
    const controller = new AbortController();
    const reading = cacheme.get(new Slow(1), { signal: controller.signal });
    setTimeout(() => controller.abort(), 10);
    await reading.catch(() => {});
    console.log(await cacheme.get(new Slow(1)).catch(codeOf));
  },
  async joinsRevalidation() {
    await revalidate(new Revalidated(1));
    console.log(await cacheme.get(new Revalidated(1)).catch(codeOf));
  },
  async joinsPause() {
    await revalidate(new Repeated(1));
    console.log(await cacheme.get(new Repeated(1)));
  },
  async leavesRevalidation() {
    class Long extends Revalidated {
      static override meta: NodeMeta = { ...Revalidated.meta, name: "long", loadTimeout: "1h" };
    }
    await revalidate(new Long(1));
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 10);
    await cacheme.get(new Long(1), { signal: controller.signal }).catch(() => {});
  },
  async everyReaderLeaves() {
    const controller = new AbortController();
    const reading = cacheme.get(new Left(1), { signal: controller.signal });
    setTimeout(() => controller.abort(), 10);
    await reading.catch(() => {});
  },
  async failed() {
    const failing = () => Promise.reject(new Error("the source is down"));
    await cacheme.get(new Value(1), { load: failing }).catch(() => {});
  },
  async removalPends() {
    const down = () => Promise.reject(new Error("down"));
    await cacheme.registerStorage("down", {
      kind: "remote",
      label: "down",
      connect: async () => {},
      close: async () => {},
      ping: down,
      time: down,
      readMany: down,
      writeMany: down,
      removeMany: down,
    });
    class Removed extends Value {
      static override meta: NodeMeta = { name: "removed", caches: [{ storage: "down" }] };
    }
    // Opens the breaker, too: its pause and the removal's keep no program alive.
    for (let id = 0; id < 10; id++) await cacheme.invalidate(new Removed(id)).catch(() => {});
    cacheme.invalidateSoon(new Removed(11));
    const status = cacheme.storages().find(({ name }) => name === "down");
    if (status?.breaker !== "open" || status.pendingRemovals !== 10) throw new Error("nothing pends");
  },
  async closed() {
    await cacheme.get(new Value(1));
    await cacheme.close();
  },
};

await scenarios[process.argv[2] ?? ""]?.();
console.log("done");
