import { describe, expect, it } from "vitest";
import { type LoadAll, Node, type NodeMeta } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { countingNode, localOnly, remoteOnly, space, twoTiers } from "../support/space.js";

describe("promise 1: one load", () => {
  it("shares one load among get, getAll, getAllSettled and memoize", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly }, (id) => ({ id }));
    const memoized = cacheme.memoize(
      async (id: number) => ({ id }),
      (id) => new Counting(id),
    );
    const [one, [two], [three], four] = await Promise.all([
      cacheme.get(new Counting(1)),
      cacheme.getAll([new Counting(1)]),
      cacheme.getAllSettled([new Counting(1)]),
      memoized(1),
    ]);
    expect(loads).toEqual([1]);
    expect([two, three, four]).toEqual([one, { status: "fulfilled", value: one }, one]);
  });

  it("gives every reader that joins the same promise object", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    const first = cacheme.get(new Counting(1));
    expect(cacheme.get(new Counting(1))).toBe(first);
    await first;
  });

  it("lets a reader join while the load runs and while the fill is on its way", async () => {
    const { cacheme, remote } = await space();
    const loading = deferred<string>();
    const writing = deferred();
    const { Counting, loads } = countingNode({ caches: twoTiers }, () => loading.promise);
    remote.gate = (operation, moment) =>
      operation === "write" && moment === "answer" ? writing.promise : undefined;
    const early = cacheme.get(new Counting(1));
    await settled();
    const duringLoad = cacheme.get(new Counting(1));
    loading.resolve("value");
    await settled();
    expect(remote.count("write")).toBe(1);
    const duringFill = cacheme.get(new Counting(1));
    writing.resolve();
    expect(await Promise.all([early, duringLoad, duringFill])).toEqual(["value", "value", "value"]);
    expect(loads).toEqual([1]);
    expect(cacheme.stats(Counting).coalescedCount).toBe(2);
  });

  it("writes each key once, not once for each reader", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (id) => id);
    await Promise.all(Array.from({ length: 50 }, () => cacheme.get(new Counting(1))));
    expect(remote.calls.filter(({ operation }) => operation === "write")).toEqual([
      { operation: "write", keys: ["cacheme:counting:1:1"] },
    ]);
  });

  it("does not load what a refresh is loading already", async () => {
    const { cacheme } = await space();
    const loading = deferred<string>();
    const { Counting, loads } = countingNode({ caches: twoTiers }, () => loading.promise);
    const refreshed = cacheme.refresh(new Counting(1));
    await settled();
    const read = cacheme.get(new Counting(1));
    await settled();
    loading.resolve("new");
    expect(await Promise.all([refreshed, read])).toEqual(["new", "new"]);
    expect(loads).toEqual([1]);
  });

  it("shares one load among the refreshes of one tick, and none with a refresh whose load has begun", async () => {
    const { cacheme } = await space();
    const answers = [deferred<string>(), deferred<string>()];
    const { Counting, loads } = countingNode({ caches: localOnly }, (_, load) => answers[load - 1]!.promise);
    const together = [cacheme.refresh(new Counting(1)), cacheme.refresh(new Counting(1))];
    await settled();
    expect(loads).toHaveLength(1);
    const later = cacheme.refresh(new Counting(1));
    await settled();
    expect(loads).toHaveLength(2);
    answers[1]!.resolve("second");
    expect(await later).toBe("second");
    answers[0]!.resolve("first");
    expect(await Promise.all(together)).toEqual(["first", "first"]);
    expect(await cacheme.get(new Counting(1))).toBe("second");
  });

  it("gives readers the old value until a refresh is done", async () => {
    const { cacheme } = await space();
    for (const caches of [localOnly, remoteOnly, twoTiers]) {
      const second = deferred<string>();
      const { Counting } = countingNode({ name: `n${JSON.stringify(caches).length}`, caches }, (_, load) =>
        load === 1 ? "old" : second.promise,
      );
      await cacheme.get(new Counting(1));
      const refreshed = cacheme.refresh(new Counting(1));
      await settled();
      expect(await cacheme.get(new Counting(1))).toBe("old");
      second.resolve("new");
      expect(await refreshed).toBe("new");
      expect(await cacheme.get(new Counting(1))).toBe("new");
    }
  });

  it("loads nothing that a set stored while the read waited for its turn", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly }, () => "loaded");
    const read = cacheme.get(new Counting(1));
    await cacheme.set(new Counting(1), "set");
    expect(await read).toBe("set");
    expect(loads).toEqual([]);
  });
});

describe("batching", () => {
  function bulkNode(meta: NodeMeta) {
    const calls: number[][] = [];
    class Bulk extends Node<number> {
      static override meta: NodeMeta = { name: "bulk", ...meta };
      static override loadAll: LoadAll<Bulk> = (nodes) => {
        calls.push(nodes.map((node) => node.id));
        return nodes.map((node) => node.id * 10);
      };
      constructor(readonly id: number) {
        super();
      }
      key() {
        return `${this.id}`;
      }
    }
    return { Bulk, calls };
  }

  it("makes the gets of one tick one readMany a storage, one loadAll a class and one writeMany", async () => {
    const { cacheme, remote } = await space();
    const { Bulk, calls } = bulkNode({ caches: twoTiers });
    const { Counting } = countingNode({ caches: twoTiers }, (id) => id);
    const ids = [3, 1, 2];
    const values = await Promise.all([
      ...ids.map((id) => cacheme.get(new Bulk(id))),
      ...ids.map((id) => cacheme.get(new Counting(id))),
    ]);
    expect(values).toEqual([30, 10, 20, 3, 1, 2]);
    expect(calls).toEqual([[3, 1, 2]]);
    expect([remote.count("read"), remote.count("write")]).toEqual([1, 1]);
    expect(remote.calls[0]?.keys).toHaveLength(6);
  });

  it("gathers reads that are reached through several awaits", async () => {
    const { cacheme, remote } = await space();
    const { Bulk, calls } = bulkNode({ caches: remoteOnly });
    const after = async (awaits: number) => {
      for (let done = 0; done < awaits; done++) await undefined;
      return await cacheme.get(new Bulk(awaits));
    };
    await Promise.all(Array.from({ length: 9 }, (_, awaits) => after(awaits)));
    expect(calls).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8]]);
    expect(remote.count("read")).toBe(1);
  });

  it("keeps order and duplicates, over mixed classes, in one round trip", async () => {
    const { cacheme, remote } = await space();
    const { Bulk, calls } = bulkNode({ caches: remoteOnly });
    const { Counting, loads } = countingNode({ caches: remoteOnly }, (id) => `c${id}`);
    const nodes = [new Bulk(2), new Counting(1), new Bulk(1), new Bulk(2), new Counting(1)];
    expect(await cacheme.getAll(nodes)).toEqual([20, "c1", 10, 20, "c1"]);
    expect([calls, loads]).toEqual([[[2, 1]], [1]]);
    expect(await cacheme.getAll(nodes)).toEqual([20, "c1", 10, 20, "c1"]);
    expect(remote.count("read")).toBe(2);
  });

  it("answers a getAll of nothing", async () => {
    const { cacheme } = await space();
    expect(await cacheme.getAll([])).toEqual([]);
    expect(await cacheme.getAllSettled([])).toEqual([]);
  });

  it("gives one loadAll at most maxBatchSize nodes", async () => {
    const { cacheme } = await space();
    const { Bulk, calls } = bulkNode({ caches: localOnly, maxBatchSize: 2 });
    await cacheme.getAll([1, 2, 3, 4, 5].map((id) => new Bulk(id)));
    expect(calls).toEqual([[1, 2], [3, 4], [5]]);
  });

  it("runs at most `concurrency` loads side by side, in their order", async () => {
    const { cacheme } = await space();
    const answers = new Map<number, ReturnType<typeof deferred<number>>>();
    const { Counting, loads } = countingNode({ caches: localOnly, concurrency: 2 }, (id) => {
      const answer = deferred<number>();
      answers.set(id, answer);
      return answer.promise;
    });
    const values = cacheme.getAll([1, 2, 3].map((id) => new Counting(id)));
    await settled();
    expect(loads).toEqual([1, 2]);
    answers.get(2)!.resolve(2);
    await settled();
    expect(loads).toEqual([1, 2, 3]);
    answers.get(1)!.resolve(1);
    answers.get(3)!.resolve(3);
    expect(await values).toEqual([1, 2, 3]);
  });

  it("sends the sets and the invalidations of one tick in one round trip each", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (id) => id);
    const nodes = [1, 2, 3].map((id) => new Counting(id));
    await cacheme.setAll(nodes.map((node) => [node, 7] as const));
    expect([remote.count("write"), remote.records.size]).toEqual([1, 3]);
    await Promise.all([cacheme.invalidate(nodes[0]!, nodes[1]!), cacheme.invalidate(nodes[2]!)]);
    expect([remote.count("remove"), remote.records.size]).toEqual([1, 0]);
  });

  it("reads a second remote tier once for all that the first one missed", async () => {
    const { cacheme, clock, remote } = await space();
    const { SimulatedRemote } = await import("../support/simulated-remote.js");
    const far = new SimulatedRemote(clock);
    await cacheme.registerStorage("far", far);
    const caches = [...remoteOnly!, { storage: "far", ttl: "1h" as const }];
    const { Bulk } = bulkNode({ caches });
    await cacheme.getAll([1, 2, 3].map((id) => new Bulk(id)));
    await remote.removeMany(["cacheme:bulk:1:1", "cacheme:bulk:2:1"]);
    const before = [remote.count("read"), far.count("read")];
    expect(await cacheme.getAll([1, 2, 3].map((id) => new Bulk(id)))).toEqual([10, 20, 30]);
    expect([remote.count("read") - before[0]!, far.count("read") - before[1]!]).toEqual([1, 1]);
    expect(far.calls.at(-1)?.keys).toEqual(["cacheme:bulk:1:1", "cacheme:bulk:2:1"]);
    expect(remote.records.size).toBe(3);
  });
});
