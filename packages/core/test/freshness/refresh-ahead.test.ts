import { describe, expect, it } from "vitest";
import { defineNode, type LoadAll, type LoadContext, type NodeMeta } from "../../src/index.js";
import { RefreshAhead } from "../../src/runtime/refresh-ahead.js";
import { bareNode } from "../support/bare-node.js";
import { deferred, settled } from "../support/deferred.js";
import { heldReload, readOvertaken } from "../support/loading-nodes.js";
import { expectRefused } from "../support/refused-meta.js";
import { countingNode, localOnly, NumberedNode, remoteOnly, space, twoTiers } from "../support/space.js";
import { pass, twoProcesses } from "../support/two-processes.js";
import { expectNothingUnhandled } from "../support/unhandled.js";

expectNothingUnhandled();

const minute = 60_000;

function numbered(meta: NodeMeta) {
  return countingNode<string>({ refreshAhead: { threshold: 0.8 }, ...meta }, (_, load) => `load ${load}`);
}

describe("XFetch", () => {
  const entry = { value: 1, writtenAt: 0, freshUntil: 60_000 };

  it("draws the gap before the expiry from an exponential distribution of the load's duration", () => {
    const ahead = new RefreshAhead({ beta: 1, threshold: undefined });
    ahead.measured(1_000);
    const share = (left: number) => {
      let due = 0;
      for (let read = 0; read < 20_000; read++)
        if (ahead.isDue(entry, 60_000, entry.freshUntil - left)) due += 1;
      return due / 20_000;
    };
    // P(due) = P(-delta * beta * ln(random) >= left) = exp(-left / (delta * beta)).
    for (const left of [100, 500, 1_000, 3_000]) {
      expect(Math.abs(share(left) - Math.exp(-left / 1_000))).toBeLessThan(0.02);
    }
    expect(share(30_000)).toBe(0);
  });

  it("begins earlier with a greater beta, and with longer loads", () => {
    const at = (beta: number, duration: number) => {
      const ahead = new RefreshAhead({ beta, threshold: undefined }, () => 0.5);
      ahead.measured(duration);
      let left = 0;
      while (ahead.isDue(entry, 60_000, entry.freshUntil - left)) left += 1;
      return left;
    };
    expect(at(1, 1_000)).toBe(694);
    expect(at(2, 1_000)).toBe(1_387);
    expect(at(1, 2_000)).toBe(1_387);
  });

  it("follows the durations of the loads", () => {
    const ahead = new RefreshAhead({ beta: 1, threshold: undefined }, () => 0.5);
    const isDueAt = (left: number) => ahead.isDue(entry, 60_000, entry.freshUntil - left);
    expect(isDueAt(1)).toBe(false); // Nothing was measured yet.
    ahead.measured(100);
    expect(isDueAt(69)).toBe(true);
    for (let load = 0; load < 30; load++) ahead.measured(1_000);
    expect(isDueAt(680)).toBe(true);
    expect(isDueAt(700)).toBe(false);
  });
});

describe("refreshAhead", () => {
  it.each([
    ["a local tier", localOnly, minute],
    ["a remote tier", remoteOnly, 10 * minute],
    ["two tiers", twoTiers, 10 * minute],
  ])("loads a value of %s again before it expires, once", async (_, caches, ttl) => {
    const { cacheme, clock } = await space();
    const { Counting, loads, gate } = heldReload({ caches, refreshAhead: { threshold: 0.8 } });
    await cacheme.get(new Counting(1));
    clock.advance(0.8 * ttl - 1);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    await settled();
    expect(loads).toHaveLength(1);
    clock.advance(0.1 * ttl);
    for (let read = 0; read < 5; read++) expect(await cacheme.get(new Counting(1))).toBe("old");
    await settled();
    expect(await cacheme.getAll([new Counting(1)])).toEqual(["old"]);
    await settled();
    expect(loads).toHaveLength(2);
    gate.resolve("new");
    await settled();
    expect(await cacheme.get(new Counting(1))).toBe("new");
    expect(cacheme.stats()).toMatchObject({ missCount: 1, staleCount: 0, loadCount: 2 });
  });

  it("measures the class's loads by default", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = countingNode<string>(
      { caches: localOnly, refreshAhead: true, loadTimeout: false },
      async (_, load) => {
        clock.advance(20_000);
        return `load ${load}`;
      },
    );
    await cacheme.get(new Counting(1));
    // Each read is due with a probability of exp(-1 / 20_000) a millisecond before the expiry.
    clock.advance(minute - 1);
    for (let read = 0; read < 5; read++) await cacheme.get(new Counting(1));
    await settled();
    expect(loads).toHaveLength(2);
  });

  it("loads under the lease, in one process of the cluster", async () => {
    const { clock, one, other } = await twoProcesses();
    const gate = deferred<string>();
    const meta: NodeMeta = { caches: remoteOnly, refreshAhead: { threshold: 0.5 } };
    const source = (_: number, load: number) => (load === 1 ? "old" : gate.promise);
    const first = countingNode<string>(meta, source);
    const second = countingNode<string>(meta, () => gate.promise);
    await one.cacheme.get(new first.Counting(1));
    clock.advance(6 * minute);
    expect(await one.cacheme.get(new first.Counting(1))).toBe("old");
    await settled();
    expect(await other.cacheme.get(new second.Counting(1))).toBe("old");
    await pass(clock, 100);
    expect(first.loads.length + second.loads.length).toBe(2);
    gate.resolve("new");
    await pass(clock, 300);
    expect(await other.cacheme.get(new second.Counting(1))).toBe("new");
  });

  it("takes a newer value that another process has stored meanwhile", async () => {
    const { clock, one, other } = await twoProcesses();
    const meta: NodeMeta = { caches: twoTiers, refreshAhead: { threshold: 0.5 } };
    const first = countingNode<string>(meta, (_, load) => `load ${load}`);
    const second = countingNode<string>(meta, () => "theirs");
    await one.cacheme.get(new first.Counting(1));
    clock.advance(6 * minute);
    expect(await one.cacheme.get(new first.Counting(1))).toBe("load 1");
    await pass(clock, 50);
    expect(await one.cacheme.get(new first.Counting(1))).toBe("load 2");
    expect(await other.cacheme.get(new second.Counting(1))).toBe("load 2");
    await pass(clock, 50);
    expect(second.loads).toEqual([]);
  });

  it("backs off after a failure, while the value is still fresh", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = countingNode<string>(
      { caches: localOnly, refreshAhead: { threshold: 0.5 } },
      (_, load) => (load === 1 ? "old" : Promise.reject(new Error(`failure ${load}`))),
    );
    const backOffs: number[] = [];
    cacheme.on("revalidateError", ({ backOff }) => backOffs.push(backOff));
    await cacheme.get(new Counting(1));
    clock.advance(40_000);
    await cacheme.get(new Counting(1));
    await settled();
    expect(backOffs).toHaveLength(1);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    await settled();
    expect(loads).toHaveLength(2);
    clock.advance(1_000);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    await settled();
    expect(loads).toHaveLength(3);
    clock.advance(20_000);
    await expect(cacheme.get(new Counting(1))).rejects.toThrow("failure 4");
  });

  it("gathers the loads of a class into one loadAll", async () => {
    const { cacheme, clock } = await space();
    const batches: number[][] = [];
    class Bulk extends NumberedNode<string> {
      static override meta: NodeMeta = {
        name: "bulk",
        caches: localOnly,
        refreshAhead: { threshold: 0.5 },
      };
      static override loadAll: LoadAll<Bulk> = (nodes) => {
        batches.push(nodes.map(({ id }) => id));
        return nodes.map(({ id }) => `${id}`);
      };
    }
    const nodes = [1, 2, 3].map((id) => new Bulk(id));
    await cacheme.getAll(nodes);
    clock.advance(40_000);
    await Promise.all(nodes.map((node) => cacheme.get(node)));
    await settled();
    expect(batches).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it("serves getSync and memoized functions", async () => {
    const { cacheme, clock } = await space();
    const Bare = bareNode({ caches: localOnly, refreshAhead: { threshold: 0.5 } });
    let calls = 0;
    const read = cacheme.memoize(
      async () => `call ${++calls}`,
      () => new Bare(),
    );
    await read();
    clock.advance(40_000);
    expect(await read()).toBe("call 1");
    await settled();
    expect(await read()).toBe("call 2");
    clock.advance(40_000);
    const readSync = () =>
      cacheme.getSync(new Bare() as InstanceType<typeof Bare> & { load(): string }, { load: () => "sync" });
    expect(readSync()).toBe("call 2");
    await settled();
    expect(readSync()).toBe("sync");
  });

  it("stores nothing that an invalidation has overtaken", async () => {
    const meta: NodeMeta = { caches: twoTiers, refreshAhead: { threshold: 0.5 } };
    expect(await readOvertaken(await space(), meta, 6 * minute)).toBe("load 3");
  });

  it("takes the share of a longer ttl that the load has set", async () => {
    for (const caches of [localOnly, remoteOnly]) {
      const { cacheme, clock } = await space();
      let loads = 0;
      const node = defineNode({
        name: "long",
        caches,
        refreshAhead: { threshold: 0.5 },
        key: (id: number) => `${id}`,
        load: (_: number, { ttl }: LoadContext) => {
          ttl("1h");
          loads += 1;
          return `load ${loads}`;
        },
      });
      await cacheme.get(node(1));
      clock.advance(29 * minute);
      await cacheme.get(node(1));
      await settled();
      expect(loads).toBe(1);
      clock.advance(2 * minute);
      expect(await cacheme.get(node(1))).toBe("load 1");
      await settled();
      expect(await cacheme.get(node(1))).toBe("load 2");
    }
  });

  it("does nothing to a value without a ttl", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = numbered({ caches: [{ storage: "local" }] });
    await cacheme.get(new Counting(1));
    clock.advance(100 * minute);
    expect(await cacheme.get(new Counting(1))).toBe("load 1");
    await settled();
    expect(loads).toHaveLength(1);
  });

  it.each([
    [{ refreshAhead: "yes" }, 'refreshAhead: "yes"'],
    [{ refreshAhead: { beta: 0 } }, "refreshAhead.beta: 0"],
    [{ refreshAhead: { threshold: 1 } }, "refreshAhead.threshold: 1"],
    [{ refreshAhead: { beta: 1, threshold: 0.5 } }, "both a beta and a threshold"],
    [{ refreshAhead: { bata: 1 } }, 'an unknown option "bata"'],
  ])("is refused as %j", (meta, message) => expectRefused(meta, message));
});
