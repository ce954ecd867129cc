import { describe, expect, it } from "vitest";
import { Cacheme, type LoadAll, memory, type NodeMeta } from "../src/index.js";
import { deferred, settled } from "./support/deferred.js";
import { loadingNode } from "./support/loading-nodes.js";
import { reason } from "./support/reason.js";
import { countingNode, localOnly, NumberedNode, remoteOnly, space, twoTiers } from "./support/space.js";

const nothingYet = {
  requestCount: 0,
  hitCount: 0,
  hitRate: 0,
  errorHitCount: 0,
  missCount: 0,
  missRate: 0,
  coalescedCount: 0,
  staleCount: 0,
  prefetchCount: 0,
  prefetchHitCount: 0,
  prefetchPrecision: 0,
  loadCount: 0,
  loadSuccessCount: 0,
  loadFailureCount: 0,
  loadFailureRate: 0,
  retryCount: 0,
  totalLoadTime: 0,
  averageLoadTime: 0,
  loadTimes: { min: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 },
};

describe("stats", () => {
  it("is 0 everywhere before the first request, even the rates", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (id) => id);
    expect(cacheme.stats()).toEqual({ ...nothingYet, hits: {} });
    expect(cacheme.stats(Counting)).toEqual({ ...nothingYet, hits: { local: 0, remote: 0 } });
  });

  it("counts requests, hits by storage, misses, loads and their times", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (id, load) => {
      clock.advance(load * 10);
      if (id === 3) throw new Error("no 3");
      return id;
    });
    await cacheme.get(new Counting(1)); // 10 ms
    await cacheme.get(new Counting(2)); // 20 ms
    await reason(cacheme.get(new Counting(3))); // 30 ms
    await cacheme.get(new Counting(1));
    clock.advance(60_000);
    await cacheme.get(new Counting(1)); // From the remote tier.
    expect(cacheme.stats(Counting)).toEqual({
      requestCount: 5,
      hitCount: 2,
      hitRate: 2 / 5,
      errorHitCount: 0,
      missCount: 3,
      missRate: 3 / 5,
      coalescedCount: 0,
      staleCount: 0,
      prefetchCount: 0,
      prefetchHitCount: 0,
      prefetchPrecision: 0,
      hits: { local: 1, remote: 1 },
      loadCount: 3,
      loadSuccessCount: 2,
      loadFailureCount: 1,
      loadFailureRate: 1 / 3,
      retryCount: 0,
      totalLoadTime: 60,
      averageLoadTime: 20,
      loadTimes: expect.any(Object),
    });
  });

  it("reports how long loads took, by percentiles in milliseconds", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => clock.advance(id));
    for (let took = 1; took <= 100; took++) await cacheme.get(new Counting(took));
    const { loadTimes } = cacheme.stats(Counting);
    for (const [name, expected] of Object.entries({
      min: 1,
      mean: 50.5,
      p50: 50,
      p90: 90,
      p99: 99,
      max: 100,
    })) {
      // The histogram keeps three significant digits.
      const found = loadTimes[name as keyof typeof loadTimes];
      expect(Math.abs(found - expected) / expected, `${name} is ${found}`).toBeLessThan(0.002);
    }
  });

  it("counts a reader once that goes on to a second load", async () => {
    const { cacheme } = await space();
    const loading = [deferred<number>(), deferred<number>()];
    const { Counting } = countingNode({ caches: localOnly }, (_, load) => loading[load - 1]!.promise);
    const reads = [cacheme.get(new Counting(1))];
    await settled();
    for (const maxAge of [1, 1_000]) reads.push(cacheme.get(new Counting(1), { maxAge }));
    await cacheme.invalidate(new Counting(1));
    await settled();
    for (const load of loading) load.resolve(1);
    await Promise.all(reads);
    expect(cacheme.stats(Counting)).toMatchObject({ requestCount: 3, coalescedCount: 2, loadCount: 2 });
  });

  it("counts each joined reader as a coalesced request, and by the outcome of the flight", async () => {
    const { cacheme, clock } = await space();
    const { loading, Counting } = loadingNode<number>({ caches: twoTiers });
    const reads = [cacheme.get(new Counting(1)), cacheme.getAll([new Counting(1), new Counting(1)])];
    await settled();
    reads.push(cacheme.get(new Counting(1)));
    loading.resolve(1);
    await Promise.all(reads);
    expect(cacheme.stats(Counting)).toMatchObject({
      requestCount: 4,
      missCount: 4,
      hitCount: 0,
      coalescedCount: 3,
      loadCount: 1,
    });
    clock.advance(60_000);
    await Promise.all([cacheme.get(new Counting(1)), cacheme.get(new Counting(1))]);
    expect(cacheme.stats(Counting)).toMatchObject({
      requestCount: 6,
      hitCount: 2,
      hits: { remote: 2 },
      coalescedCount: 4,
    });
  });

  it("counts a flight's readers once if it takes over the answer of another", async () => {
    const { cacheme } = await space();
    const { loading, Counting } = loadingNode<number>({ caches: twoTiers });
    const refreshed = cacheme.refresh(new Counting(1));
    await settled();
    const reads = [cacheme.get(new Counting(1)), cacheme.get(new Counting(1))];
    await settled();
    loading.resolve(1);
    await Promise.all([refreshed, ...reads]);
    expect(cacheme.stats(Counting)).toMatchObject({ requestCount: 3, missCount: 3, loadCount: 1 });
  });

  it("counts each node of a loadAll as a load, and its call once in the histogram", async () => {
    const { cacheme, clock } = await space();
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { caches: localOnly };
      static override loadAll: LoadAll<Bulk> = (nodes) => {
        clock.advance(90);
        return nodes.map(({ id }) => (id === 2 ? new Error("no 2") : id));
      };
    }
    await cacheme.getAllSettled([1, 2, 3].map((id) => new Bulk(id)));
    const stats = cacheme.stats(Bulk);
    expect(stats).toMatchObject({
      loadCount: 3,
      loadSuccessCount: 2,
      loadFailureCount: 1,
      totalLoadTime: 90,
      averageLoadTime: 30,
    });
    expect(stats.loadTimes.min).toBeCloseTo(90, 0);
  });

  it("adds up the classes, storage by storage", async () => {
    const { cacheme } = await space();
    const one = countingNode({ name: "one", caches: localOnly }, (id) => id).Counting;
    const two = countingNode({ name: "two", caches: remoteOnly }, (id) => id).Counting;
    for (const node of [new one(1), new one(1), new one(1), new two(1), new two(1)]) await cacheme.get(node);
    expect(cacheme.stats(one)).toMatchObject({ requestCount: 3, hits: { local: 2 } });
    expect(cacheme.stats(two)).toMatchObject({ requestCount: 2, hits: { remote: 1 } });
    expect(cacheme.stats()).toMatchObject({
      requestCount: 5,
      hitCount: 3,
      hits: { local: 2, remote: 1 },
      loadCount: 2,
    });
  });

  it("counts neither peek, nor peekLocal, nor set", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (id) => id);
    await cacheme.set(new Counting(1), 1);
    cacheme.peekLocal(new Counting(1));
    await cacheme.peek(new Counting(1));
    await cacheme.peek(new Counting(2));
    expect(cacheme.stats(Counting).requestCount).toBe(0);
  });

  it("adds up after any mix of reads: every read is a hit or a miss, every load a success or a failure", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, async (id, load) => {
      await settled();
      if (load % 5 === 0) throw new Error("now and then");
      return id;
    });
    let asked = 0;
    for (let round = 0; round < 30; round++) {
      const reads = [0, 1, 2].flatMap((id) => [
        cacheme.get(new Counting((round + id) % 4)),
        cacheme.get(new Counting((round + id) % 4), { maxAge: "10s" }),
        round % 3 === 0 ? cacheme.refresh(new Counting(id)) : cacheme.get(new Counting(id)),
      ]);
      asked += reads.length;
      await Promise.allSettled(reads);
      if (round % 4 === 0) await cacheme.invalidate(new Counting(round % 4));
      clock.advance(25_000);
    }
    const stats = cacheme.stats(Counting);
    expect(stats.requestCount).toBe(asked);
    expect(stats.hitCount + stats.missCount).toBe(asked);
    expect(stats.loadSuccessCount + stats.loadFailureCount).toBe(stats.loadCount);
    expect(stats.hits["local"]! + stats.hits["remote"]!).toBe(stats.hitCount);
    expect(stats.hitRate + stats.missRate).toBeCloseTo(1);
  });

  it.each(["constructor", "__proto__", "toString"])("counts the hits of a storage named %s", async (name) => {
    const cacheme = new Cacheme();
    await cacheme.registerStorage(name, memory());
    const { Counting } = countingNode({ caches: [{ storage: name }] }, (id) => id);
    await cacheme.get(new Counting(1));
    await cacheme.get(new Counting(1));
    expect(Object.entries(cacheme.stats(Counting).hits)).toEqual([[name, 1]]);
  });

  it("refuses anything but a node class", async () => {
    const { cacheme } = await space();
    expect(() => cacheme.stats(undefined)).not.toThrow();
    for (const wrong of [class Other {}, {}, "user"]) {
      expect(() => cacheme.stats(wrong as never)).toThrow(
        expect.objectContaining({ code: "CACHEME_INVALID_NODE" }),
      );
    }
  });
});

describe("stats of a class that has not been used", () => {
  it("are all 0, and do not count as a use", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: [{ storage: "not registered" }] }, (id) => id);
    expect(cacheme.stats(Counting)).toMatchObject({ requestCount: 0, hitRate: 0, loadCount: 0 });
    expect(cacheme.nodes()).toEqual([]);
    cacheme.setPrefix("still-free");
  });
});
