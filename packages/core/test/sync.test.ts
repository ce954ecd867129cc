import { describe, expect, it } from "vitest";
import { type LoadContext, LoadCycleError, Node, type NodeMeta } from "../src/index.js";
import { deferred, settled } from "./support/deferred.js";
import { thrownBy } from "./support/reason.js";
import { localOnly, NumberedNode, space, twoTiers } from "./support/space.js";

/** Makes a class whose load returns no promise. */
function syncNode<V>(meta: NodeMeta, load: (id: number, context: LoadContext<V>) => V) {
  const loads: number[] = [];
  class Sync extends NumberedNode<V> {
    static override meta: NodeMeta = { name: "sync", caches: localOnly, ...meta };
    override load(context: LoadContext<V>): V {
      loads.push(this.id);
      return load(this.id, context);
    }
  }
  return { Sync, loads };
}

describe("getSync", () => {
  it("answers at once: loads a value that no local tier has, and keeps it", async () => {
    const { cacheme, clock } = await space();
    const { Sync, loads } = syncNode({}, (id) => `value ${id}`);
    expect([cacheme.getSync(new Sync(1)), cacheme.getSync(new Sync(1))]).toEqual(["value 1", "value 1"]);
    expect(loads).toEqual([1]);
    clock.advance(60_000);
    cacheme.getSync(new Sync(1));
    expect(loads).toEqual([1, 1]);
  });

  it("takes undefined as a value", async () => {
    const { cacheme } = await space();
    const { Sync, loads } = syncNode<undefined>({}, () => undefined);
    expect([cacheme.getSync(new Sync(1)), cacheme.getSync(new Sync(1))]).toEqual([undefined, undefined]);
    expect(loads).toEqual([1]);
  });

  it("shares its entries with get and set", async () => {
    const { cacheme } = await space();
    const { Sync, loads } = syncNode({}, (id) => `value ${id}`);
    cacheme.getSync(new Sync(1));
    expect(await cacheme.get(new Sync(1))).toBe("value 1");
    await cacheme.set(new Sync(1), "set");
    expect(cacheme.getSync(new Sync(1))).toBe("set");
    expect(loads).toEqual([1]);
  });

  it("answers a get that waits for its turn", async () => {
    const { cacheme } = await space();
    const { Sync, loads } = syncNode({}, (id) => `value ${id}`);
    const read = cacheme.get(new Sync(1));
    cacheme.getSync(new Sync(1));
    expect(await read).toBe("value 1");
    expect(loads).toEqual([1]);
  });

  it("accepts a load of the reader's own", async () => {
    const { cacheme } = await space();
    const { Sync, loads } = syncNode({}, () => "the node's");
    expect(cacheme.getSync(new Sync(1), { load: () => "the reader's" })).toBe("the reader's");
    expect(cacheme.getSync(new Sync(1))).toBe("the reader's");
    expect(loads).toEqual([]);
  });

  it("follows the load's ttl and skip, and has no previous value", async () => {
    const { cacheme } = await space();
    const { Sync } = syncNode<number>({}, (id, { ttl, skip, previous, signal }) => {
      expect([previous, signal.aborted]).toEqual([undefined, false]);
      ttl("5s");
      if (id === 2) skip();
      return id;
    });
    cacheme.getSync(new Sync(1));
    cacheme.getSync(new Sync(2));
    expect(cacheme.peekLocal(new Sync(1))?.ttl).toBe(5_000);
    expect(cacheme.peekLocal(new Sync(2))).toBeUndefined();
  });

  it("uses the doorkeeper", async () => {
    const { cacheme } = await space();
    const { Sync } = syncNode({ doorkeeper: { size: 10 } }, (id) => id);
    cacheme.getSync(new Sync(1));
    expect(cacheme.peekLocal(new Sync(1))).toBeUndefined();
    cacheme.getSync(new Sync(1));
    expect(cacheme.peekLocal(new Sync(1))?.value).toBe(1);
  });

  it("passes on the load's error, and stores nothing", async () => {
    const { cacheme } = await space();
    const boom = new Error("no template");
    const { Sync } = syncNode<number>({}, () => {
      throw boom;
    });
    expect(thrownBy(() => cacheme.getSync(new Sync(1)))).toBe(boom);
    expect(cacheme.peekLocal(new Sync(1))).toBeUndefined();
    expect(cacheme.stats(Sync)).toMatchObject({ requestCount: 1, missCount: 1, loadFailureCount: 1 });
  });

  it("counts requests, hits, misses and loads", async () => {
    const { cacheme } = await space();
    const { Sync } = syncNode({}, (id) => id);
    for (const id of [1, 1, 1, 2]) cacheme.getSync(new Sync(id));
    expect(cacheme.stats(Sync)).toMatchObject({
      requestCount: 4,
      hits: { local: 2 },
      missCount: 2,
      loadSuccessCount: 2,
    });
  });

  it("refuses a class with a remote tier, and names the storage", async () => {
    const { cacheme, remote } = await space();
    const { Sync, loads } = syncNode({ caches: twoTiers }, (id) => id);
    expect(thrownBy(() => cacheme.getSync(new Sync(1)))).toMatchObject({
      code: "CACHEME_NOT_SYNCHRONOUS",
      node: "sync",
      key: "1",
      message: expect.stringMatching(/sync:1 .*"remote" is remote\. Use get/),
    });
    expect([loads, remote.calls]).toEqual([[], []]);
  });

  it("refuses a load that returns a promise, and handles the promise's failure", async () => {
    const { cacheme } = await space();
    const { Sync } = syncNode<unknown>({}, () => Promise.reject(new Error("too late")));
    expect(thrownBy(() => cacheme.getSync(new Sync(1) as never))).toMatchObject({
      code: "CACHEME_NOT_SYNCHRONOUS",
      message: expect.stringMatching(/The load of sync:1 returned a promise.*Use get/),
    });
    await settled();
    expect(cacheme.peekLocal(new Sync(1))).toBeUndefined();
  });

  it("does not keep a value that it loaded before an invalidation", async () => {
    const { cacheme } = await space();
    const { Sync } = syncNode<number>({}, (id) => {
      void cacheme.invalidate(new Sync(id));
      return id;
    });
    expect(cacheme.getSync(new Sync(1))).toBe(1);
    expect(cacheme.peekLocal(new Sync(1))).toBeUndefined();
    await settled();
  });

  it("refuses a load that reads itself, directly or through others, and shows the cycle", async () => {
    const { cacheme } = await space();
    const { Sync, loads } = syncNode<number>({}, (id): number => cacheme.getSync(new Sync((id % 3) + 1)));
    const error = thrownBy(() => cacheme.getSync(new Sync(1)));
    expect(error).toBeInstanceOf(LoadCycleError);
    expect(error).toMatchObject({
      code: "CACHEME_LOAD_CYCLE",
      cycle: ["sync:1", "sync:2", "sync:3", "sync:1"],
    });
    expect(loads).toEqual([1, 2, 3]);
    const { Sync: Itself } = syncNode<number>({ name: "itself" }, (id): number =>
      cacheme.getSync(new Itself(id)),
    );
    expect(thrownBy(() => cacheme.getSync(new Itself(1)))).toMatchObject({ cycle: ["itself:1", "itself:1"] });
  });

  it("takes neither shared dependencies nor a read after a cycle for a cycle", async () => {
    const { cacheme } = await space();
    const edges: Record<number, number[]> = { 1: [2, 3], 2: [4], 3: [4], 4: [] };
    const { Sync, loads } = syncNode<number>(
      {},
      (id): number => 1 + edges[id]!.reduce((sum, next) => sum + cacheme.getSync(new Sync(next)), 0),
    );
    expect(cacheme.getSync(new Sync(1))).toBe(5);
    expect(loads).toEqual([1, 2, 4, 3]);
    edges[4] = [1];
    await cacheme.invalidate(...[1, 2, 3, 4].map((id) => new Sync(id)));
    thrownBy(() => cacheme.getSync(new Sync(1)));
    edges[4] = [];
    expect(cacheme.getSync(new Sync(1))).toBe(5);
  });

  it("works within a load of get's, and get within its caller", async () => {
    const { cacheme } = await space();
    const { Sync } = syncNode({}, (id) => id * 2);
    class Outer extends Node<number> {
      static override meta: NodeMeta = { name: "outer", caches: localOnly };
      key() {
        return "k";
      }
      override async load() {
        return cacheme.getSync(new Sync(2)) + (await cacheme.get(new Sync(3)));
      }
    }
    expect(await cacheme.get(new Outer())).toBe(10);
  });
});

describe("peekLocal", () => {
  it("answers the entry with its times, origin and hits, or undefined; it loads and counts nothing", async () => {
    const { cacheme, clock } = await space();
    const { Sync, loads } = syncNode({}, (id) => `value ${id}`);
    expect(cacheme.peekLocal(new Sync(1))).toBeUndefined();
    cacheme.getSync(new Sync(1));
    cacheme.getSync(new Sync(1));
    clock.advance(10_000);
    expect(cacheme.peekLocal(new Sync(1))).toEqual({
      value: "value 1",
      writtenAt: clock.now() - 10_000,
      freshUntil: clock.now() + 50_000,
      ttl: 50_000,
      origin: "local",
      hits: 1,
      size: undefined,
      tags: [],
    });
    expect(loads).toEqual([1]);
  });

  it("does not see a load that is under way", async () => {
    const { cacheme } = await space();
    const loading = deferred<string>();
    const { Sync } = syncNode<unknown>({}, () => loading.promise);
    const read = cacheme.get(new Sync(1));
    await settled();
    expect(cacheme.peekLocal(new Sync(1))).toBeUndefined();
    loading.resolve("value");
    await read;
    expect(cacheme.peekLocal(new Sync(1))?.value).toBe("value");
  });

  it("has no ttl if the tier has none", async () => {
    const { cacheme } = await space();
    const { Sync } = syncNode({ caches: [{ storage: "local" }] }, (id) => id);
    cacheme.getSync(new Sync(1));
    expect(cacheme.peekLocal(new Sync(1))).toMatchObject({
      ttl: Number.POSITIVE_INFINITY,
      freshUntil: Number.POSITIVE_INFINITY,
    });
  });
});
