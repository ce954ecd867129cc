import { describe, expect, it } from "vitest";
import {
  Cacheme,
  compressed,
  type Duration,
  defineNode,
  json,
  type LoadAll,
  memory,
  msgpack,
  type NodeMeta,
  v8,
} from "../src/index.js";
import { bareNode } from "./support/bare-node.js";
import { deferred, settled } from "./support/deferred.js";
import { loadingNode, twoLoads } from "./support/loading-nodes.js";
import { reason } from "./support/reason.js";
import { SimulatedRemote } from "./support/simulated-remote.js";
import { countingNode, localOnly, NumberedNode, remoteOnly, space, twoTiers } from "./support/space.js";
import { VirtualClock } from "./support/virtual-clock.js";

const threeTiers = [...twoTiers!, { storage: "far", ttl: "1h" as const }];

/** Makes a space with a second remote storage, "far", behind the first. */
async function deepSpace() {
  const shallow = await space();
  const far = new SimulatedRemote(shallow.clock);
  await shallow.cacheme.registerStorage("far", far);
  return { ...shallow, far };
}

/** Makes a class with a loadAll that records its arguments. */
function bulkNode(meta: NodeMeta, loadAll: (ids: readonly number[]) => unknown) {
  const calls: number[][] = [];
  class Bulk extends NumberedNode<number> {
    static override meta: NodeMeta = { name: "bulk", ...meta };
    static override loadAll: LoadAll<Bulk> = (nodes) => {
      const ids = nodes.map((node) => node.id);
      calls.push(ids);
      return loadAll(ids) as never;
    };
  }
  return { Bulk, calls };
}

describe("features of Cacheme-Python", () => {
  it("keeps an entry under prefix:name:key:version", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly, name: "user", version: "v2" }, (id) => id);
    await cacheme.get(new Counting(7));
    expect([...remote.records.keys()]).toEqual(["cacheme:user:7:v2"]);
  });

  it("takes the prefix from setPrefix, or from the options", async () => {
    const clock = new VirtualClock();
    const [byCall, byOption] = [new Cacheme({ clock }), new Cacheme({ clock, prefix: "shop" })];
    byCall.setPrefix("shop");
    for (const cacheme of [byCall, byOption]) {
      const remote = new SimulatedRemote(clock);
      await cacheme.registerStorage("remote", remote);
      const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
      await cacheme.get(new Counting(1));
      expect([...remote.records.keys()]).toEqual(["shop:counting:1:1"]);
    }
  });

  it("never sees the entries of another version", async () => {
    const { cacheme, remote, clock } = await space();
    const one = countingNode({ caches: remoteOnly, version: 1 }, () => "first shape");
    const two = countingNode({ caches: remoteOnly, version: 2 }, () => "second shape");
    await cacheme.get(new one.Counting(1));
    const next = new Cacheme({ clock });
    await next.registerStorage("remote", remote);
    expect(await next.get(new two.Counting(1))).toBe("second shape");
  });

  it("loads with the reader's own load if get has one, and keeps its result", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: twoTiers }, () => "the node's");
    expect(await cacheme.get(new Counting(1), { load: () => "the reader's" })).toBe("the reader's");
    expect(await cacheme.get(new Counting(1))).toBe("the reader's");
    expect(loads).toEqual([]);
  });

  it("does not call the reader's load if a tier has the value", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, () => "stored");
    await cacheme.get(new Counting(1));
    expect(await cacheme.get(new Counting(1), { load: () => "the reader's" })).toBe("stored");
  });

  it("loads a node without a load of its own with the reader's", async () => {
    const { cacheme } = await space();
    const Bare = bareNode({ caches: localOnly });
    expect(await cacheme.get(new Bare(), { load: async () => "value" })).toBe("value");
    expect(await cacheme.get(new Bare())).toBe("value");
  });

  it("answers getAll in the order of the nodes, with duplicates, and loads each once", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly }, (id) => `value ${id}`);
    const ids = [3, 1, 3, 2, 1];
    expect(await cacheme.getAll(ids.map((id) => new Counting(id)))).toEqual(ids.map((id) => `value ${id}`));
    expect(loads).toEqual([3, 1, 2]);
  });

  it("mixes stored and loaded values in order", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly }, (id) => `loaded ${id}`);
    await cacheme.set(new Counting(2), "set 2");
    const values = await cacheme.getAll([1, 2, 3].map((id) => new Counting(id)));
    expect(values).toEqual(["loaded 1", "set 2", "loaded 3"]);
    expect(loads).toEqual([1, 3]);
  });

  it("reads chained storages from left to right, and fills the values back to the left", async () => {
    const { cacheme, clock, remote, far } = await deepSpace();
    const { Counting, loads } = countingNode({ caches: threeTiers }, (id) => ({ id }));
    await cacheme.get(new Counting(1));
    clock.advance(10 * 60_000); // "local" and "remote" have lost it, but "far" has not.
    remote.calls.length = far.calls.length = 0;
    expect(await cacheme.get(new Counting(1))).toEqual({ id: 1 });
    await settled(); // No reader waits for the fill.
    expect(remote.calls.map(({ operation }) => operation)).toEqual(["read", "write"]);
    expect(far.calls.map(({ operation }) => operation)).toEqual(["read"]);
    expect(cacheme.peekLocal(new Counting(1))?.value).toEqual({ id: 1 });
    expect(loads).toEqual([1]);
  });

  it("lists the node classes that were used, in the order of their first use", async () => {
    const { cacheme } = await space();
    const one = countingNode({ name: "one", caches: localOnly }, (id) => id).Counting;
    const two = countingNode({ name: "two", caches: localOnly }, (id) => id).Counting;
    const unused = countingNode({ name: "unused", caches: localOnly }, (id) => id).Counting;
    expect(cacheme.nodes()).toEqual([]);
    await cacheme.get(new two(1));
    cacheme.peekLocal(new one(1));
    await cacheme.get(new two(2));
    expect(cacheme.nodes()).toEqual([
      { name: "two", nodeClass: two },
      { name: "one", nodeClass: one },
    ]);
    expect(cacheme.nodes().map(({ nodeClass }) => nodeClass)).not.toContain(unused);
  });

  it("gives the same entries to a definition that is made twice", async () => {
    const define = () =>
      defineNode({
        name: "parity-defined",
        key: (id: number) => `${id}`,
        load: (id) => `value ${id}`,
      });
    const cacheme = new Cacheme();
    await cacheme.get(define()(1));
    expect(cacheme.peekLocal(define()(1))?.value).toBe("value 1");
    expect(cacheme.nodes().map(({ name }) => name)).toEqual(["parity-defined"]);
  });
});

describe("the doorkeeper", () => {
  it("only stores a key from the second time on", async () => {
    const { cacheme, remote } = await space();
    const { Counting, loads } = countingNode({ caches: twoTiers, doorkeeper: { size: 100 } }, (id) => id);
    expect(await cacheme.get(new Counting(1))).toBe(1);
    expect([cacheme.peekLocal(new Counting(1)), remote.records.size]).toEqual([undefined, 0]);
    expect(await cacheme.get(new Counting(1))).toBe(1);
    expect([cacheme.peekLocal(new Counting(1))?.value, remote.records.size]).toEqual([1, 1]);
    expect(await cacheme.get(new Counting(1))).toBe(1);
    expect(loads).toEqual([1, 1]);
  });

  it("starts again after `size` requests", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly, doorkeeper: { size: 2 } }, (id) => id);
    await cacheme.get(new Counting(1));
    await cacheme.get(new Counting(2));
    await cacheme.get(new Counting(1)); // The third request: it has forgotten the first two.
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
    await cacheme.get(new Counting(1));
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe(1);
  });

  it("does not block a set", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly, doorkeeper: { size: 100 } }, (id) => id);
    await cacheme.set(new Counting(1), 7);
    expect(await cacheme.get(new Counting(1))).toBe(7);
  });

  it("never keeps the old value after a refresh has loaded a new one", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: twoTiers, doorkeeper: { size: 100 } }, (_, load) => load);
    await cacheme.set(new Counting(1), 0); // Stored, but never seen by the doorkeeper.
    expect(await cacheme.refresh(new Counting(1))).toBe(1);
    expect(await cacheme.get(new Counting(1))).toBe(1);
  });
});

describe("serializers through a remote tier", () => {
  const value = {
    name: "žluť",
    list: [1, 2.5, -3],
    nested: { yes: true, nothing: null },
    text: "x".repeat(3_000),
  };
  const serializers = { json: json(), msgpack: msgpack(), v8: v8() };

  it.each([
    ...Object.entries(serializers),
    ...Object.entries(serializers).map(([name, inner]) => [`compressed ${name}`, compressed(inner)] as const),
  ])("%s: another process reads the values of this one", async (_, serializer) => {
    const { cacheme, clock, remote } = await space();
    const meta = { caches: remoteOnly, serializer };
    await cacheme.get(new (countingNode(meta, () => value).Counting)(1));
    const other = new Cacheme({ clock });
    await other.registerStorage("remote", remote);
    const { Counting, loads } = countingNode(meta, () => ({ ...value, name: "loaded" }));
    expect(await other.get(new Counting(1))).toEqual(value);
    expect(loads).toEqual([]);
  });

  it("only compresses payloads above the threshold, and reads both", async () => {
    const { cacheme, remote } = await space();
    const serializer = compressed(json(), { threshold: 1_000 });
    const { Counting } = countingNode({ caches: remoteOnly, serializer }, (id) => "x".repeat(id));
    await cacheme.getAll([new Counting(900), new Counting(5_000)]);
    const size = (id: number) => remote.records.get(`cacheme:counting:${id}:1`)!.bytes.length;
    expect(size(900)).toBeGreaterThan(900);
    expect(size(5_000)).toBeLessThan(200);
    expect(await cacheme.getAll([new Counting(900), new Counting(5_000)])).toEqual([
      "x".repeat(900),
      "x".repeat(5_000),
    ]);
  });

  it("uses msgpack if the node names no serializer", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, () => new Map([["at", new Date(0)]]));
    await cacheme.get(new Counting(1));
    expect(await cacheme.get(new Counting(1))).toEqual(new Map([["at", new Date(0)]]));
    expect(remote.count("write")).toBe(1);
  });
});

describe("known faults of Cacheme-Python that were not ported", () => {
  it("answers every joined reader when a load fails, and no reader hangs", async () => {
    const { cacheme } = await space();
    const { loading, Counting } = loadingNode<never>({ caches: localOnly });
    const readers = Array.from({ length: 10 }, () => reason(cacheme.get(new Counting(1))));
    await settled();
    readers.push(reason(cacheme.get(new Counting(1))));
    loading.reject(new Error("the source is down"));
    for (const error of await Promise.all(readers)) expect(error).toEqual(new Error("the source is down"));
  });

  it("blocks no key after a batch that failed", async () => {
    const { cacheme } = await space();
    let fails = true;
    const { Bulk, calls } = bulkNode({ caches: twoTiers }, (ids) => {
      if (fails) throw new Error("the database is down");
      return ids;
    });
    const nodes = [1, 2, 3].map((id) => new Bulk(id));
    const outcomes = await cacheme.getAllSettled(nodes);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    fails = false;
    expect(await cacheme.getAll(nodes)).toEqual([1, 2, 3]);
    expect(calls).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it("blocks no key after a storage that failed to answer a batch", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    remote.gate = () => {
      throw new Error("the server is gone");
    };
    expect(await cacheme.getAll([new Counting(1), new Counting(2)])).toEqual([1, 2]);
    remote.gate = () => {};
    expect(await cacheme.getAll([new Counting(1), new Counting(2)])).toEqual([1, 2]);
    expect(remote.records.size).toBe(2);
  });

  it("never lets two node classes with equal keys read each other's entries", async () => {
    const { cacheme } = await space();
    const users = countingNode({ name: "user", caches: twoTiers }, (id) => `user ${id}`);
    const posts = countingNode({ name: "post", caches: twoTiers }, (id) => `post ${id}`);
    for (let round = 0; round < 2; round++) {
      expect(await cacheme.getAll([new users.Counting(1), new posts.Counting(1)])).toEqual([
        "user 1",
        "post 1",
      ]);
    }
  });

  it("uses the doorkeeper: a key that is requested once takes no room", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers, doorkeeper: { size: 10_000 } }, (id) => id);
    await cacheme.getAll(Array.from({ length: 500 }, (_, id) => new Counting(id)));
    // One in a hundred may be taken for a known one.
    expect(remote.records.size).toBeLessThan(25);
  });

  it("lets a refresh join no flight that began before it", async () => {
    const { cacheme } = await space();
    const { answers, Counting } = twoLoads({ caches: localOnly });
    const stale = cacheme.get(new Counting(1));
    await settled();
    const refreshed = cacheme.refresh(new Counting(1));
    await settled();
    answers[1]!.resolve("new");
    expect(await refreshed).toBe("new");
    answers[0]!.resolve("old");
    await stale;
    expect(await cacheme.get(new Counting(1))).toBe("new");
  });

  it("fills back with the remaining ttl, not with a whole one", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = countingNode({ caches: twoTiers }, (_, load) => load);
    await cacheme.get(new Counting(1));
    clock.advance(10 * 60_000 - 20_000);
    expect(await cacheme.get(new Counting(1))).toBe(1);
    expect(cacheme.peekLocal(new Counting(1))?.ttl).toBe(20_000);
    clock.advance(19_999);
    expect(await cacheme.get(new Counting(1))).toBe(1);
    clock.advance(1);
    expect(await cacheme.get(new Counting(1))).toBe(2);
    expect(loads).toHaveLength(2);
  });

  it("fills a remote tier back with the remaining ttl, too", async () => {
    const { cacheme, clock, remote } = await deepSpace();
    const { Counting } = countingNode({ caches: threeTiers }, (id) => id);
    await cacheme.get(new Counting(1));
    clock.advance(60 * 60_000 - 250);
    await cacheme.get(new Counting(1));
    await settled();
    expect(remote.records.get("cacheme:counting:1:1")?.until).toBe(clock.now() + 250);
  });

  it.each<[Duration]>([["250ms"], [250], ["0.25s"]])(
    "keeps a ttl of %s for its exact length",
    async (ttl) => {
      const { cacheme, clock } = await space();
      const caches = [
        { storage: "local", ttl },
        { storage: "remote", ttl },
      ];
      const { Counting } = countingNode({ caches }, (_, load) => load);
      await cacheme.get(new Counting(1));
      clock.advance(249);
      expect(await cacheme.get(new Counting(1))).toBe(1);
      clock.advance(1);
      expect(await cacheme.get(new Counting(1))).toBe(2);
    },
  );

  it("runs the loads of a class without loadAll concurrently, not one after the other", async () => {
    const { cacheme } = await space();
    const answers = [deferred<number>(), deferred<number>(), deferred<number>()];
    const { Counting, loads } = countingNode({ caches: localOnly }, (id) => answers[id]!.promise);
    const values = cacheme.getAll([0, 1, 2].map((id) => new Counting(id)));
    await settled();
    expect(loads).toEqual([0, 1, 2]);
    for (const [index, answer] of answers.entries()) answer.resolve(index);
    expect(await values).toEqual([0, 1, 2]);
  });

  it("fills a tier back once for all the readers that joined", async () => {
    const { cacheme, clock, remote } = await deepSpace();
    const { Counting } = countingNode({ caches: threeTiers }, (id) => id);
    await cacheme.get(new Counting(1));
    clock.advance(10 * 60_000);
    remote.calls.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => cacheme.get(new Counting(1))));
    await settled();
    expect(remote.calls.filter(({ operation }) => operation === "write")).toEqual([
      { operation: "write", keys: ["cacheme:counting:1:1"] },
    ]);
  });
});

describe("nothing is set up", () => {
  it("keeps the values of nodes without caches in a bounded memory storage", async () => {
    const cacheme = new Cacheme();
    const { Counting, loads } = countingNode({}, (id) => id);
    expect([await cacheme.get(new Counting(1)), await cacheme.get(new Counting(1))]).toEqual([1, 1]);
    expect(loads).toEqual([1]);
    expect(cacheme.storages()).toMatchObject([
      { name: "default", kind: "local", label: "memory (10,000 entries)", failureCount: 0 },
    ]);
  });

  it('uses a storage that was registered as "default" for them instead', async () => {
    const cacheme = new Cacheme();
    await cacheme.registerStorage("default", memory({ maxSize: 5 }));
    const { Counting } = countingNode({}, (id) => id);
    await cacheme.get(new Counting(1));
    expect(cacheme.storages()).toMatchObject([{ name: "default", label: "memory (5 entries)" }]);
  });

  it("stores nothing if caches are an empty list, and still shares one load", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: [] }, (_, load) => load);
    expect(await Promise.all([cacheme.get(new Counting(1)), cacheme.get(new Counting(1))])).toEqual([1, 1]);
    expect(await cacheme.get(new Counting(1))).toBe(2);
    expect(loads).toHaveLength(2);
  });
});
