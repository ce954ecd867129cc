import { describe, expect, it } from "vitest";
import {
  Cacheme,
  defineNode,
  type LoadAll,
  type LoadContext,
  memory,
  Node,
  type NodeMeta,
} from "../../src/index.js";
import { bareNode } from "../support/bare-node.js";
import { deferred, settled } from "../support/deferred.js";
import { heldReload, readOvertaken } from "../support/loading-nodes.js";
import {
  countingNode,
  localOnly,
  NumberedNode,
  remoteOnly,
  space,
  taggedSpace,
  twoTiers,
} from "../support/space.js";
import { pass, twoProcesses } from "../support/two-processes.js";
import { expectNothingUnhandled } from "../support/unhandled.js";
import { VirtualClock } from "../support/virtual-clock.js";

expectNothingUnhandled();

const minute = 60_000;

/** A class whose loads answer with their number, in one storage. */
function numbered(meta: NodeMeta) {
  return countingNode<string>({ staleWhileRevalidate: "1m", ...meta }, (_, load) => `load ${load}`);
}

describe("staleWhileRevalidate in a local tier", () => {
  it("returns the stale value at once, and loads it again once", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads, gate } = heldReload({ caches: localOnly, staleWhileRevalidate: "1m" });
    await cacheme.get(new Counting(1));
    clock.advance(minute + 1);
    const reads = Array.from({ length: 10 }, () => cacheme.get(new Counting(1)));
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 10 }, () => "old"));
    await settled();
    expect(await cacheme.get(new Counting(1))).toBe("old");
    expect(loads).toEqual([1, 1]);
    gate.resolve("new");
    await settled();
    expect(await cacheme.get(new Counting(1))).toBe("new");
    expect(loads).toEqual([1, 1]);
  });

  it("makes a read wait for the load once the window has passed", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = numbered({ caches: localOnly });
    await cacheme.get(new Counting(1));
    clock.advance(2 * minute - 1);
    expect(await cacheme.get(new Counting(1))).toBe("load 1");
    await settled();
    clock.advance(2 * minute);
    expect(await cacheme.get(new Counting(1))).toBe("load 3");
  });

  it("lets readers after the window join the load that replaces the value", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads, gate } = heldReload({ caches: localOnly, staleWhileRevalidate: "1m" });
    await cacheme.get(new Counting(1));
    clock.advance(2 * minute - 1);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    await settled();
    clock.advance(10);
    const late = cacheme.get(new Counting(1));
    await settled();
    gate.resolve("new");
    expect(await late).toBe("new");
    expect(loads).toEqual([1, 1]);
  });

  it("serves getSync and getAll, and reads with a signal", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = numbered({ caches: localOnly });
    class Synchronous extends Node<string> {
      static override meta: NodeMeta = { name: "sync", caches: localOnly, staleWhileRevalidate: "1m" };
      static count = 0;
      key() {
        return "1";
      }
      override load(): string {
        Synchronous.count += 1;
        return `sync ${Synchronous.count}`;
      }
    }
    await cacheme.get(new Counting(1));
    expect(cacheme.getSync(new Synchronous())).toBe("sync 1");
    clock.advance(minute + 1);
    expect(cacheme.getSync(new Synchronous())).toBe("sync 1");
    expect(await cacheme.getAll([new Counting(1)])).toEqual(["load 1"]);
    await settled();
    expect(cacheme.getSync(new Synchronous())).toBe("sync 2");
    expect(loads).toHaveLength(2);
    clock.advance(minute + 1);
    const { signal } = new AbortController();
    expect(await cacheme.get(new Counting(1), { signal })).toBe("load 2");
    await settled();
    expect(loads).toHaveLength(3);
  });

  it("loads again by the reader's own load", async () => {
    const { cacheme, clock } = await space();
    const Bare = bareNode({ caches: localOnly, staleWhileRevalidate: "1m" });
    let calls = 0;
    const read = cacheme.memoize(
      async () => `call ${++calls}`,
      () => new Bare(),
    );
    const readSync = () =>
      cacheme.getSync(new Bare() as InstanceType<typeof Bare> & { load(): string }, { load: () => "sync" });
    expect(await read()).toBe("call 1");
    clock.advance(minute + 1);
    expect(await read()).toBe("call 1");
    await settled();
    expect(await read()).toBe("call 2");
    clock.advance(minute + 1);
    expect(readSync()).toBe("call 2");
    await settled();
    expect(readSync()).toBe("sync");
  });

  it("gives a reader with maxAge no stale value", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = numbered({ caches: localOnly });
    await cacheme.get(new Counting(1));
    clock.advance(minute + 1);
    expect(await cacheme.get(new Counting(1), { maxAge: "1h" })).toBe("load 2");
  });

  it("never returns what was invalidated or cleared", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = numbered({ caches: localOnly });
    await cacheme.get(new Counting(1));
    clock.advance(minute + 1);
    await cacheme.invalidate(new Counting(1));
    expect(await cacheme.get(new Counting(1))).toBe("load 2");
    clock.advance(minute + 1);
    await cacheme.clear();
    expect(await cacheme.get(new Counting(1))).toBe("load 3");
  });

  it("never returns a value whose tag was invalidated", async () => {
    const { cacheme, clock } = await taggedSpace();
    class Tagged extends numbered({ caches: twoTiers }).Counting {
      static override meta: NodeMeta = { name: "tagged", caches: twoTiers, staleWhileRevalidate: "1m" };
      override tags() {
        return ["team:7"];
      }
    }
    await cacheme.get(new Tagged(1));
    clock.advance(minute + 1);
    await cacheme.invalidateTags("team:7");
    expect(await cacheme.get(new Tagged(1))).toBe("load 2");
    clock.advance(10 * minute + 1);
    await cacheme.invalidateTags("team:7");
    expect(await cacheme.get(new Tagged(1))).toBe("load 3");
  });

  it("does not store a load that an invalidation has overtaken", async () => {
    const meta: NodeMeta = { caches: localOnly, staleWhileRevalidate: "1m" };
    expect(await readOvertaken(await space(), meta, minute + 1)).toBe("load 3");
  });

  it("prefers a fresh value in a tier on the right", async () => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    await cacheme.registerStorage("near", memory());
    await cacheme.registerStorage("far", memory());
    const { Counting, loads } = numbered({
      caches: [
        { storage: "near", ttl: "1m" },
        { storage: "far", ttl: "10m" },
      ],
    });
    await cacheme.get(new Counting(1));
    clock.advance(minute + 1);
    expect(await cacheme.get(new Counting(1))).toBe("load 1");
    await settled();
    expect(loads).toHaveLength(1);
    expect(cacheme.stats().staleCount).toBe(0);
    clock.advance(9 * minute + 30_000);
    expect(await cacheme.get(new Counting(1))).toBe("load 1");
    expect(cacheme.stats().staleCount).toBe(1);
  });

  it("counts and reports stale hits", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = numbered({ caches: localOnly });
    await cacheme.get(new Counting(1));
    const hits: unknown[] = [];
    const misses: unknown[] = [];
    cacheme.on("hit", (hit) => hits.push(hit));
    cacheme.on("miss", (miss) => misses.push(miss));
    await cacheme.get(new Counting(1));
    clock.advance(minute + 1);
    await cacheme.get(new Counting(1));
    await settled();
    const hit = { node: "counting", key: "1", storage: "local", readers: 1 };
    expect(hits).toEqual([hit, { ...hit, isStale: true }]);
    expect(misses).toEqual([]);
    expect(cacheme.stats()).toMatchObject({ hitCount: 2, missCount: 1, staleCount: 1, loadCount: 2 });
  });

  it("gives each reader a copy where the storage clones", async () => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    await cacheme.registerStorage("local", memory({ values: "cloned" }));
    const { Counting, loads } = countingNode<{ load: number }>(
      { caches: localOnly, staleWhileRevalidate: "1m" },
      (_, load) => ({ load }),
    );
    await cacheme.get(new Counting(1));
    clock.advance(minute + 1);
    const [one, other] = await cacheme.getAll([new Counting(1), new Counting(1)]);
    expect(one).toEqual({ load: 1 });
    expect(one).not.toBe(other);
    await settled();
    expect(loads).toHaveLength(2);
  });

  it.each(["shouldCache", "skip"])("drops the value when the next one is not stored, by %s", async (by) => {
    const { cacheme, clock } = await space();
    const node = defineNode({
      name: "unstored",
      caches: twoTiers,
      staleWhileRevalidate: "1h",
      ...(by === "shouldCache" ? { shouldCache: (value: string) => value === "load 1" } : {}),
      key: (id: number) => `${id}`,
      load: (_: number, context: LoadContext) => {
        loads += 1;
        if (by === "skip" && loads > 1) context.skip();
        return `load ${loads}`;
      },
    });
    let loads = 0;
    await cacheme.get(node(1));
    clock.advance(10 * minute + 1);
    const got: string[] = [];
    for (let read = 0; read < 3; read++) {
      got.push(await cacheme.get(node(1)));
      await settled();
    }
    expect(got).toEqual(["load 1", "load 3", "load 4"]);
    expect(await cacheme.peek(node(1))).toBeUndefined();
  });

  it("drops the value when the window ends", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = numbered({ caches: localOnly });
    await cacheme.get(new Counting(1));
    clock.advance(minute + 1);
    expect((await cacheme.explain(new Counting(1))).tiers[0]?.verdict).toBe("stale");
    clock.advance(minute);
    expect(["expired", "absent"]).toContain((await cacheme.explain(new Counting(1))).tiers[0]?.verdict);
  });
});

describe("staleWhileRevalidate in a remote tier", () => {
  it("serves every process, and one of them loads under the lease", async () => {
    const { clock, one, other } = await twoProcesses();
    const gate = deferred<string>();
    const source = (_: number, load: number) => (load === 1 ? "old" : gate.promise);
    const first = countingNode<string>({ caches: remoteOnly, staleWhileRevalidate: "1m" }, source);
    const second = countingNode<string>({ caches: remoteOnly, staleWhileRevalidate: "1m" }, source);
    await one.cacheme.get(new first.Counting(1));
    clock.advance(10 * minute + 1);
    const reads = [
      one.cacheme.get(new first.Counting(1)),
      other.cacheme.get(new second.Counting(1)),
      one.cacheme.get(new first.Counting(1)),
    ];
    expect(await Promise.all(reads)).toEqual(["old", "old", "old"]);
    await settled();
    await pass(clock, 100);
    expect(await other.cacheme.get(new second.Counting(1))).toBe("old");
    expect(first.loads.length + second.loads.length).toBe(2);
    gate.resolve("new");
    await pass(clock, 300);
    expect(await one.cacheme.get(new first.Counting(1))).toBe("new");
    expect(await other.cacheme.get(new second.Counting(1))).toBe("new");
    expect(first.loads.length + second.loads.length).toBe(2);
  });

  it("does not load in a process that never gets the lease", async () => {
    const { clock, one, other } = await twoProcesses();
    const gate = deferred<string>();
    const meta: NodeMeta = { caches: remoteOnly, staleWhileRevalidate: "1m", lease: "1s" };
    const source = (_: number, load: number) => (load === 1 ? "old" : gate.promise);
    const first = countingNode<string>(meta, source);
    const second = countingNode<string>(meta, () => "loaded by the other");
    await one.cacheme.get(new first.Counting(1));
    clock.advance(10 * minute + 1);
    await one.cacheme.get(new first.Counting(1));
    await settled();
    expect(await other.cacheme.get(new second.Counting(1))).toBe("old");
    await pass(clock, 3_000);
    expect(second.loads).toEqual([]);
    expect((await other.cacheme.explain(new second.Counting(1))).isRevalidating).toBe(false);
    gate.resolve("new");
    await pass(clock, 100);
    expect(await other.cacheme.get(new second.Counting(1))).toBe("new");
  });

  it("bounds the whole age through two tiers", async () => {
    const { cacheme, clock } = await space();
    const { Counting, gate } = heldReload({ caches: twoTiers, staleWhileRevalidate: "1m" });
    await cacheme.get(new Counting(1));
    // The local entry ends as the remote one does.
    clock.advance(9 * minute + 59_000);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    clock.advance(minute);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    await settled();
    clock.advance(1_000);
    let answered = false;
    const late = cacheme.get(new Counting(1)).then((value) => {
      answered = true;
      return value;
    });
    await settled();
    expect(answered).toBe(false);
    gate.resolve("new");
    expect(await late).toBe("new");
  });

  it("keeps a stale remote value in the local tier for its window only", async () => {
    const { clock, one, other } = await twoProcesses();
    const meta: NodeMeta = { caches: twoTiers, staleWhileRevalidate: "1m" };
    const gate = deferred<string>();
    const first = countingNode<string>(meta, () => "old");
    const second = countingNode<string>(meta, () => gate.promise);
    await one.cacheme.get(new first.Counting(1));
    clock.advance(10 * minute + 30_000);
    expect(await other.cacheme.get(new second.Counting(1))).toBe("old");
    await settled();
    const { calls } = other.remote;
    const before = calls.length;
    expect(await other.cacheme.get(new second.Counting(1))).toBe("old");
    expect(calls.length).toBe(before);
    clock.advance(30_100); // The clocks may differ by half a round trip.
    const late = other.cacheme.get(new second.Counting(1));
    await settled();
    gate.resolve("new");
    await pass(clock, 300);
    expect(await late).toBe("new");
  });

  it("never returns a stale value that another process has removed", async () => {
    const { clock, one, other } = await twoProcesses();
    const first = numbered({ caches: remoteOnly });
    const second = countingNode<string>({ caches: remoteOnly, staleWhileRevalidate: "1m" }, () => "theirs");
    await one.cacheme.get(new first.Counting(1));
    clock.advance(10 * minute + 1);
    await other.cacheme.invalidate(new second.Counting(1));
    expect(await one.cacheme.get(new first.Counting(1))).toBe("load 2");
  });

  it("gathers the revalidations of a class into one loadAll", async () => {
    const { cacheme, clock, remote } = await space();
    const batches: number[][] = [];
    class Bulk extends NumberedNode<string> {
      static override meta: NodeMeta = { name: "bulk", caches: twoTiers, staleWhileRevalidate: "1m" };
      static override loadAll: LoadAll<Bulk> = (nodes) => {
        batches.push(nodes.map(({ id }) => id));
        return nodes.map(({ id }) => `${id} of batch ${batches.length}`);
      };
    }
    const nodes = [1, 2, 3].map((id) => new Bulk(id));
    await cacheme.getAll(nodes);
    clock.advance(10 * minute + 1);
    const before = remote.calls.length;
    expect(await cacheme.getAll(nodes)).toEqual(["1 of batch 1", "2 of batch 1", "3 of batch 1"]);
    await settled();
    expect(batches).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    // One round trip reads the stale values, one reads for the revalidations, one writes.
    const operations = remote.calls.slice(before).map(({ operation }) => operation);
    expect(operations.filter((operation) => operation !== "time")).toEqual(["read", "read", "write"]);
  });

  it("writes the record for its window, fresh for its ttl", async () => {
    const { cacheme, remote, clock } = await space();
    const { Counting } = countingNode<string>(
      { caches: remoteOnly, staleWhileRevalidate: "1m", staleIfError: "1h" },
      () => "value",
    );
    await cacheme.get(new Counting(1));
    expect([...remote.records.values()]).toMatchObject([
      { freshUntil: clock.now() + 10 * minute, until: clock.now() + 70 * minute },
    ]);
  });

  it("lets a reader with maxAge wait for a load, and others not", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = numbered({ caches: remoteOnly });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    const strict = cacheme.get(new Counting(1), { maxAge: "1h" });
    const plain = cacheme.get(new Counting(1));
    expect(await plain).toBe("load 1");
    expect(await strict).toBe("load 2");
  });

  it("lets a refresh replace the value beside it", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = numbered({ caches: twoTiers });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    expect(await cacheme.get(new Counting(1))).toBe("load 1");
    const refreshed = await cacheme.refresh(new Counting(1));
    await settled();
    expect(await cacheme.get(new Counting(1))).toBe(refreshed);
  });
});

describe("a revalidation that fails", () => {
  it("is an event, no rejection, and backs off", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = countingNode<string>(
      { caches: localOnly, staleWhileRevalidate: "10m" },
      (_, load) => (load === 1 ? "old" : Promise.reject(new Error(`failure ${load}`))),
    );
    const errors: { node: string; key: string; error: unknown; backOff: number }[] = [];
    cacheme.on("revalidateError", (event) => errors.push(event));
    await cacheme.get(new Counting(1));
    clock.advance(minute + 1);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    await settled();
    expect(errors).toMatchObject([{ node: "counting", key: "1", error: new Error("failure 2") }]);
    const { backOff } = errors[0]!;
    expect(backOff).toBeGreaterThanOrEqual(500);
    expect(backOff).toBeLessThanOrEqual(1_000);
    const explained = await cacheme.explain(new Counting(1));
    expect(explained).toMatchObject({ origin: "local", isRevalidating: false });
    expect(explained.backOff).toBeCloseTo(backOff, 2);
    clock.advance(backOff - 1);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    await settled();
    expect(loads).toHaveLength(2);
    clock.advance(2);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    await settled();
    expect(loads).toHaveLength(3);
    expect(errors[1]!.backOff).toBeGreaterThanOrEqual(1_000);
  });

  it.each<[string, (cacheme: Cacheme, node: Node<string>) => Promise<void>]>([
    ["set", (cacheme, node) => cacheme.set(node, "set")],
    ["invalidate", (cacheme, node) => cacheme.invalidate(node)],
    ["expire", (cacheme, node) => cacheme.expire(node)],
  ])("no longer holds a key back after %s", async (_, change) => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode<string>(
      { caches: localOnly, staleWhileRevalidate: "1h", staleBackOff: "1h" },
      (_, load) => {
        if (load > 1) throw new Error("down");
        return "old";
      },
    );
    const node = new Counting(1);
    await cacheme.get(node);
    clock.advance(minute + 1);
    await cacheme.get(node);
    await settled();
    expect((await cacheme.explain(node)).backOff).toBeGreaterThan(0);
    await change(cacheme, node);
    expect((await cacheme.explain(node)).backOff).toBe(0);
  });

  it("ends when the window does", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode<string>({ caches: localOnly, staleWhileRevalidate: "1m" }, (_, load) =>
      load === 1 ? "old" : Promise.reject(new Error(`failure ${load}`)),
    );
    await cacheme.get(new Counting(1));
    clock.advance(2 * minute - 100);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    await settled();
    clock.advance(100);
    await expect(cacheme.get(new Counting(1))).rejects.toThrow("failure 3");
  });

  it("reports a class without a load", async () => {
    const { cacheme, clock } = await space();
    const Bare = bareNode({ caches: localOnly, staleWhileRevalidate: "1m" });
    const errors: unknown[] = [];
    cacheme.on("revalidateError", ({ error }) => errors.push(error));
    await cacheme.set(new Bare(), "given");
    clock.advance(minute + 1);
    expect(await cacheme.get(new Bare())).toBe("given");
    await settled();
    expect(errors).toMatchObject([{ code: "CACHEME_NO_LOAD" }]);
  });
});

describe("a class with staleWhileRevalidate", () => {
  it.each([
    [{ staleWhileRevalidate: "soon" }, "staleWhileRevalidate"],
    [{ staleIfError: -1 }, "staleIfError"],
    [{ staleIfError: "1h", staleBackOff: 0 }, "staleBackOff"],
  ])("is refused with %j", async (option, name) => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly, ...option } as NodeMeta, () => 1);
    await expect(cacheme.get(new Counting(1))).rejects.toMatchObject({
      code: "CACHEME_INVALID_DURATION",
      message: expect.stringContaining(`${name} of node "counting"`),
    });
  });

  it("is refused with a back-off and no stale values", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly, staleBackOff: "1s" }, () => 1);
    await expect(cacheme.get(new Counting(1))).rejects.toMatchObject({ code: "CACHEME_INVALID_META" });
  });
});
