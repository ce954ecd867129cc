import { describe, expect, it } from "vitest";
import type { LoadAll, NodeMeta } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { loadingNode, twoLoads } from "../support/loading-nodes.js";
import { reason } from "../support/reason.js";
import { countingNode, localOnly, NumberedNode, remoteOnly, space, twoTiers } from "../support/space.js";

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

  it("lets a reader join while the load runs and while the fill is under way", async () => {
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

  it("does not load a key that a refresh is loading already", async () => {
    const { cacheme } = await space();
    const { loading, Counting, loads } = loadingNode<string>({ caches: twoTiers });
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
    const { answers, Counting, loads } = twoLoads({ caches: localOnly });
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

  it("does not load a value that a set stored while the read waited for its turn", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly }, () => "loaded");
    const read = cacheme.get(new Counting(1));
    await cacheme.set(new Counting(1), "set");
    expect(await read).toBe("set");
    expect(loads).toEqual([]);
  });
});

describe("promise 1: at most two loads of a key, one running and one that began after the call", () => {
  const setups = [
    ["local only", localOnly],
    ["remote only", remoteOnly],
    ["two tiers", twoTiers],
  ] as const;

  /** Makes a node whose loads end when the test says so, and counts the most concurrent ones. */
  function heldNode(caches: NodeMeta["caches"]) {
    const running: (() => void)[] = [];
    const seen = { begun: 0, most: 0 };
    const { Counting } = countingNode<number>({ caches }, (_, load) => {
      const answer = deferred<number>();
      running.push(() => answer.resolve(load));
      seen.begun = load;
      seen.most = Math.max(seen.most, running.length);
      return answer.promise;
    });
    const end = async () => {
      running.shift()?.();
      await settled();
    };
    const drain = async () => {
      while (running.length > 0) await end();
    };
    return { Held: Counting, seen, end, drain };
  }

  for (const [setup, caches] of setups) {
    it(`shares one load among reads of one tick with and without maxAge: ${setup}`, async () => {
      const { cacheme } = await space();
      const { Held, seen, drain } = heldNode(caches);
      const reads = [cacheme.get(new Held(1))];
      for (let age = 100; age > 0; age--) reads.push(cacheme.get(new Held(1), { maxAge: age }));
      reads.push(cacheme.get(new Held(1)));
      await settled();
      await drain();
      expect(await Promise.all(reads)).toEqual(Array(102).fill(1));
      expect(seen).toEqual({ begun: 1, most: 1 });
    });

    it(`shares one load among reads of one tick if the stored value is too old: ${setup}`, async () => {
      const { cacheme, clock } = await space();
      const { Held, seen, drain } = heldNode(caches);
      await cacheme.set(new Held(1), 0);
      clock.advance(1_000);
      const reads = Array.from({ length: 100 }, (_, age) => cacheme.get(new Held(1), { maxAge: 100 - age }));
      await settled();
      await drain();
      expect(await Promise.all(reads)).toEqual(Array(100).fill(1));
      expect(seen).toEqual({ begun: 1, most: 1 });
    });

    it(`shares one load among refreshes and reads of one tick: ${setup}`, async () => {
      const { cacheme } = await space();
      const { Held, seen, drain } = heldNode(caches);
      const reads = [
        cacheme.refresh(new Held(1)),
        cacheme.get(new Held(1)),
        cacheme.refresh(new Held(1)),
        cacheme.get(new Held(1), { fresh: true }),
        cacheme.get(new Held(1), { maxAge: 5 }),
      ];
      await settled();
      await drain();
      expect(await Promise.all(reads)).toEqual(Array(5).fill(1));
      expect(seen).toEqual({ begun: 1, most: 1 });
    });

    it(`runs at most two loads for refreshes that come during a load, and gives them the second: ${setup}`, async () => {
      const { cacheme } = await space();
      const { Held, seen, end, drain } = heldNode(caches);
      const refreshes: Promise<number>[] = [];
      for (let call = 0; call < 100; call++) {
        refreshes.push(cacheme.refresh(new Held(1)));
        await settled();
      }
      expect(seen.most).toBeLessThanOrEqual(2);
      await end();
      await drain();
      const values = await Promise.all(refreshes);
      expect(values[0]).toBe(1);
      // A refresh joins no load that ran when it was called: those that waited share the next one.
      for (const value of values.slice(1)) expect(value).toBeGreaterThan(1);
      expect(seen.most).toBeLessThanOrEqual(2);
      expect(seen.begun).toBeLessThanOrEqual(3);
    });

    it(`runs at most two loads for readers that give up one after the other: ${setup}`, async () => {
      const { cacheme } = await space();
      const { Held, seen, drain } = heldNode(caches);
      const outcomes: Promise<unknown>[] = [];
      for (let reader = 0; reader < 20; reader++) {
        const leaving = new AbortController();
        outcomes.push(reason(cacheme.get(new Held(1), { signal: leaving.signal })));
        await settled();
        leaving.abort(new Error("left"));
        await settled();
      }
      const staying = cacheme.get(new Held(1));
      await settled();
      await drain();
      expect(await staying).toBeGreaterThan(0);
      expect(await Promise.all(outcomes)).toEqual(Array(20).fill(new Error("left")));
      expect(seen.most).toBeLessThanOrEqual(2);
    });

    it(`runs at most two loads for reads that invalidations overtake: ${setup}`, async () => {
      const { cacheme } = await space();
      const { Held, seen, drain } = heldNode(caches);
      const reads: Promise<number>[] = [];
      for (let call = 0; call < 20; call++) {
        reads.push(cacheme.get(new Held(1)));
        await settled();
        await cacheme.invalidate(new Held(1));
      }
      await drain();
      await Promise.all(reads);
      expect(seen.most).toBeLessThanOrEqual(2);
    });
  }

  it("gives loadAll each key once, and lets skip() reach every reader's value", async () => {
    const { cacheme, remote } = await space();
    const calls: number[][] = [];
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "bulk", caches: twoTiers };
      static override loadAll: LoadAll<Bulk> = (nodes, context) => {
        calls.push(nodes.map((node) => node.id));
        for (const node of nodes) context.for(node).skip();
        return nodes.map((node) => node.id * 10);
      };
    }
    const reads = [
      cacheme.get(new Bulk(1)),
      cacheme.get(new Bulk(1), { maxAge: 5 }),
      cacheme.get(new Bulk(1), { maxAge: 3 }),
      cacheme.get(new Bulk(2)),
    ];
    expect(await Promise.all(reads)).toEqual([10, 10, 10, 20]);
    expect(calls).toEqual([[1, 2]]);
    expect([remote.records.size, cacheme.peekLocal(new Bulk(1))]).toEqual([0, undefined]);
  });

  it("reads a remote tier once for all reads of a key in one tick", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    await Promise.all([
      cacheme.get(new Counting(1)),
      cacheme.get(new Counting(1), { maxAge: 5 }),
      cacheme.get(new Counting(1), { maxAge: 3 }),
    ]);
    const reads = remote.calls.filter(({ operation }) => operation === "read");
    expect(reads.map(({ keys }) => keys)).toEqual([["cacheme:counting:1:1"]]);
  });
});

describe("batching", () => {
  function bulkNode(meta: NodeMeta) {
    const calls: number[][] = [];
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "bulk", ...meta };
      static override loadAll: LoadAll<Bulk> = (nodes) => {
        calls.push(nodes.map((node) => node.id));
        return nodes.map((node) => node.id * 10);
      };
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
    expect(remote.calls.find(({ operation }) => operation === "read")?.keys).toHaveLength(6);
  });

  it("gathers reads that are behind several awaits", async () => {
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

  it("runs at most `concurrency` concurrent loads, in their order", async () => {
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

  it("reads a second remote tier once for all keys that the first one missed", async () => {
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
    await settled(); // No reader waits for the fill.
    expect(remote.records.size).toBe(3);
  });
});
