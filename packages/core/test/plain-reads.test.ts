import { AsyncLocalStorage } from "node:async_hooks";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Cacheme, memory, type NodeMeta } from "../src/index.js";
import { PlainReads } from "../src/read/plain-reads.js";
import { deferred } from "./support/deferred.js";
import { SimulatedRemote } from "./support/simulated-remote.js";
import { NumberedNode } from "./support/space.js";
import { VirtualClock } from "./support/virtual-clock.js";

const caches = [
  { storage: "local", ttl: "1h" },
  { storage: "remote", ttl: "1h" },
] as const;

class Numbered extends NumberedNode<string> {
  static override meta: NodeMeta = { name: "numbered", caches };
  override async load() {
    return `loaded ${this.id}`;
  }
}

class Stale extends Numbered {
  static override meta: NodeMeta = { name: "stale", caches, staleWhileRevalidate: "1h" };
}

const tenant = new AsyncLocalStorage<string>();

const numbered = [0, 1, 2].map((id) => new Numbered(id));

let clock: VirtualClock;
let remote: SimulatedRemote;
let cacheme: Cacheme;

/** Calls the function once, when the remote storage has carried out a read and has not answered. */
function duringRead(act: () => Promise<unknown> | undefined): void {
  remote.gate = async (operation, moment) => {
    if (operation !== "read" || moment !== "answer") return;
    remote.gate = () => {};
    await act();
  };
}

beforeEach(async () => {
  clock = new VirtualClock();
  remote = new SimulatedRemote(clock);
  await using writer = new Cacheme({ clock });
  await writer.registerStorage("local", memory());
  await writer.registerStorage("remote", remote);
  for (const node of numbered) await writer.set(node, `stored ${node.id}`);
  await writer.set(new Stale(0), "stored 0");
  cacheme = new Cacheme({ clock });
  await cacheme.registerStorage("local", memory());
  await cacheme.registerStorage("remote", remote);
  await cacheme.get(new Numbered(9)); // The first use of a storage also asks its time.
  remote.calls.length = 0;
});

describe("a list of stored nodes", () => {
  it("is read in one round trip, counted, reported and kept in the local tier", async () => {
    const hits: unknown[] = [];
    cacheme.on("hit", (hit) => hits.push(hit));
    const before = cacheme.stats(Numbered);

    expect(await cacheme.getAll(numbered)).toEqual(["stored 0", "stored 1", "stored 2"]);

    expect(remote.count("read")).toBe(1);
    expect(hits).toEqual(
      numbered.map((node) => ({ node: "numbered", key: node.key(), storage: "remote", readers: 1 })),
    );
    expect(cacheme.stats(Numbered).hitCount - before.hitCount).toBe(3);
    expect(numbered.map((node) => cacheme.peekLocal(node)?.value)).toEqual([
      "stored 0",
      "stored 1",
      "stored 2",
    ]);
  });

  it("does not ask for a key twice", async () => {
    const [first, second] = [new Numbered(0), new Numbered(0)];

    const list = cacheme.getAll([first, second, new Numbered(1)]);
    const joined = cacheme.get(new Numbered(1));
    const other = cacheme.getAll([new Numbered(1), new Numbered(2)]);

    expect(await list).toEqual(["stored 0", "stored 0", "stored 1"]);
    expect(await joined).toBe("stored 1");
    expect(await other).toEqual(["stored 1", "stored 2"]);
    expect(remote.calls.flatMap(({ keys }) => keys).length).toBe(3);
    expect(cacheme.stats(Numbered).coalescedCount).toBe(3);
  });

  it("loads the nodes that are not stored", async () => {
    const values = await cacheme.getAll([new Numbered(0), new Numbered(5), new Numbered(2)]);

    expect(values).toEqual(["stored 0", "loaded 5", "stored 2"]);
    expect(cacheme.stats(Numbered).loadSuccessCount).toBe(2);
  });

  it("asks few other reads for its key while the storage is slow", async () => {
    const { promise, resolve } = deferred<void>();
    remote.gate = () => promise;
    const open = vi.spyOn(PlainReads.prototype, "open");

    const reads: Promise<string>[] = [];
    for (let id = 100; id < 300; id++) {
      reads.push(cacheme.get(new Numbered(id)));
      await new Promise((next) => setImmediate(next));
    }
    // A read of its key is looked for twice. Without a bound all earlier reads would be asked, 19,900 in all.
    expect(open.mock.calls.length).toBeLessThanOrEqual(2 * 16 * reads.length);
    resolve();

    expect(await Promise.all(reads)).toEqual(reads.map((_, place) => `loaded ${100 + place}`));
    open.mockRestore();
  });

  it("loads all nodes if the storage fails", async () => {
    remote.gate = (operation) => {
      if (operation === "read") throw new Error("broken");
    };

    expect(await cacheme.getAll(numbered)).toEqual(["loaded 0", "loaded 1", "loaded 2"]);
  });

  it("loads a node whose bytes are damaged", async () => {
    for (const [key, record] of remote.records) {
      if (key.includes(":1:")) remote.records.set(key, { ...record, bytes: record.bytes.slice(1) });
    }

    expect(await cacheme.getAll(numbered)).toEqual(["stored 0", "loaded 1", "stored 2"]);
  });

  it("replaces a stale value behind its reader", async () => {
    clock.advance(3_600_000);

    expect(await cacheme.getAll([new Stale(0)])).toEqual(["stored 0"]);
    expect(cacheme.stats(Stale).staleCount).toBe(1);
  });
});

describe("single reads of stored nodes", () => {
  it("of one tick are one round trip", async () => {
    const values = await Promise.all(numbered.map((node) => cacheme.get(node)));

    expect(values).toEqual(["stored 0", "stored 1", "stored 2"]);
    expect(remote.count("read")).toBe(1);
  });

  it("of one key share one promise", async () => {
    const first = cacheme.get(new Numbered(1));
    const second = cacheme.get(new Numbered(1));

    expect(second).toBe(first);
    expect(await first).toBe("stored 1");
    expect(remote.calls.flatMap(({ keys }) => keys).length).toBe(1);
  });

  it("begin again if the key is invalidated meanwhile", async () => {
    duringRead(() => cacheme.invalidate(new Numbered(1)));

    expect(await cacheme.get(new Numbered(1))).toBe("loaded 1");
    expect(cacheme.peekLocal(new Numbered(1))?.value).toBe("loaded 1");
  });

  it("of a key that is not stored are loaded in the async context of the caller", async () => {
    const tenants: unknown[] = [];
    class Tenant extends Numbered {
      static override meta: NodeMeta = { name: "tenant", caches };
      override async load() {
        tenants.push(tenant.getStore());
        return "loaded";
      }
    }

    const one = tenant.run("one", () => cacheme.get(new Tenant(1)));
    const two = tenant.run("two", () => cacheme.get(new Tenant(2)));

    expect(await Promise.all([one, two])).toEqual(["loaded", "loaded"]);
    expect(tenants).toEqual(["one", "two"]);
  });
});

describe("while a list is read, a node", () => {
  it("that is invalidated is read again", async () => {
    duringRead(() => cacheme.invalidate(new Numbered(1)));

    expect(await cacheme.getAll(numbered)).toEqual(["stored 0", "loaded 1", "stored 2"]);
    expect(cacheme.peekLocal(new Numbered(1))?.value).toBe("loaded 1");
  });

  it("that is set has the newer value in the local tier", async () => {
    duringRead(() => cacheme.set(new Numbered(1), "newer"));

    await cacheme.getAll(numbered);

    expect(cacheme.peekLocal(new Numbered(1))?.value).toBe("newer");
  });

  it("that is refreshed has the newer value in the local tier", async () => {
    duringRead(() => cacheme.refresh(new Numbered(1)));

    await cacheme.getAll(numbered);

    expect(cacheme.peekLocal(new Numbered(1))?.value).toBe("loaded 1");
  });

  it.each([
    ["class", () => cacheme.invalidateAll(Numbered)],
    ["pattern", () => cacheme.invalidateMatching("numbered:*")],
  ])("that is invalidated by its %s is loaded", async (_, invalidate) => {
    Object.assign(remote, { scan: async function* () {} });
    let invalidated: Promise<unknown> | undefined;
    duringRead(() => {
      remote.records.clear();
      invalidated = invalidate();
      return undefined;
    });

    expect(await cacheme.getAll(numbered)).toEqual(["loaded 0", "loaded 1", "loaded 2"]);
    await invalidated;
  });

  it("does not return to a cleared storage", async () => {
    duringRead(() => cacheme.clear());

    const values = await cacheme.getAll(numbered);

    expect(values.length).toBe(3);
    expect(remote.count("read")).toBeGreaterThan(1);
  });

  it("is in use as far as explain tells", async () => {
    let underway: unknown;
    duringRead(async () => {
      underway = (await cacheme.explain(new Numbered(1))).underway;
    });

    await cacheme.getAll(numbered);

    expect(underway).toEqual(["reading"]);
  });
});
