import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { Cacheme, defineNode, memory, type NodeMeta, perRequest, requestScope } from "../../src/index.js";
import { sharedState } from "../../src/shared-state.js";
import { deferred, settled } from "../support/deferred.js";
import { loadingNode, twoLoads } from "../support/loading-nodes.js";
import { reason, thrownBy } from "../support/reason.js";
import { countingNode, localOnly, remoteOnly, space, taggedSpace, twoTiers } from "../support/space.js";

const setups: Record<string, NodeMeta["caches"]> = {
  alone: [],
  localOnly,
  remoteOnly,
  twoTiers,
};

/** Makes a class with the request's tier, whose loads answer with their number. */
function numbered(caches: NodeMeta["caches"] = twoTiers, meta: NodeMeta = {}) {
  return countingNode({ ...meta, caches: [perRequest(), ...(caches ?? [])] }, (_, load) => `load ${load}`);
}

describe.each(Object.entries(setups))("a node within a request, %s", (_, caches) => {
  it("reads the same value throughout, whatever others invalidate", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = numbered(caches);
    const others = deferred();
    const answers = cacheme.requestScope(async () => {
      const first = await cacheme.get(new Counting(1));
      await others.promise;
      const [second] = await cacheme.getAll([new Counting(1)]);
      return [first, second, await cacheme.get(new Counting(1))];
    });
    await settled();
    await cacheme.invalidate(new Counting(1));
    clock.advance(3_600_000);
    others.resolve();
    expect(await answers).toEqual(["load 1", "load 1", "load 1"]);
    expect(loads).toEqual([1]);
  });

  it("is read anew by the next request", async () => {
    const { cacheme } = await space();
    const { Counting } = numbered(caches);
    const request = () => cacheme.requestScope(() => cacheme.get(new Counting(1)));
    expect(await request()).toBe("load 1");
    await cacheme.invalidate(new Counting(1));
    expect(await request()).toBe("load 2");
  });

  it("reads the request's own set", async () => {
    const { cacheme } = await space();
    const { Counting } = numbered(caches);
    await cacheme.requestScope(async () => {
      await cacheme.get(new Counting(1));
      await cacheme.set(new Counting(1), "set");
      expect(await cacheme.get(new Counting(1))).toBe("set");
    });
  });

  it.each(["invalidate", "expire", "invalidateAll", "invalidateMatching", "clear"] as const)(
    "is read anew after the request's own %s",
    async (call) => {
      const { cacheme } = await taggedSpace();
      const { Counting } = numbered(caches);
      const change = {
        invalidate: () => cacheme.invalidate(new Counting(1)),
        expire: () => cacheme.expire(new Counting(1)),
        invalidateAll: () => cacheme.invalidateAll(Counting),
        invalidateMatching: () => cacheme.invalidateMatching("counting:*"),
        clear: () => cacheme.clear({ remote: true }),
      }[call];
      await cacheme.requestScope(async () => {
        expect(await cacheme.get(new Counting(1))).toBe("load 1");
        await change();
        expect(await cacheme.get(new Counting(1))).toBe("load 2");
      });
    },
  );

  it("keeps the value of the request's own refresh", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = numbered(caches);
    await cacheme.requestScope(async () => {
      expect(await cacheme.get(new Counting(1))).toBe("load 1");
      expect(await cacheme.refresh(new Counting(1))).toBe("load 2");
      expect(await cacheme.get(new Counting(1))).toBe("load 2");
      expect(await cacheme.get(new Counting(1), { fresh: true })).toBe("load 3");
      expect(await cacheme.get(new Counting(1))).toBe("load 3");
    });
    expect(loads.length).toBe(3);
  });
});

describe("a read within a request", () => {
  it("joins the request's read under way, although others have overtaken it", async () => {
    const { cacheme } = await space();
    const { answers, Counting } = twoLoads({ caches: [perRequest(), ...localOnly!] });
    const inRequest = cacheme.requestScope(async () => {
      const first = cacheme.get(new Counting(1));
      await settled();
      return await Promise.all([first, cacheme.get(new Counting(1)), cacheme.getAll([new Counting(1)])]);
    });
    await settled();
    await cacheme.invalidate(new Counting(1));
    await settled();
    const outside = cacheme.get(new Counting(1));
    answers[0].resolve("old");
    answers[1].resolve("new");
    expect(await inRequest).toEqual(["old", "old", ["old"]]);
    expect(await outside).toBe("new");
  });

  it("keeps the answer of the later of two fresh reads, whichever comes first", async () => {
    const { cacheme } = await space();
    const { answers, Counting } = twoLoads({ caches: [perRequest(), ...localOnly!] });
    await cacheme.requestScope(async () => {
      const older = cacheme.get(new Counting(1), { fresh: true });
      await settled();
      const newer = cacheme.get(new Counting(1), { fresh: true });
      await settled();
      answers[1].resolve("newer");
      expect(await newer).toBe("newer");
      answers[0].resolve("older");
      expect(await older).toBe("older");
      await settled();
      expect(await cacheme.get(new Counting(1))).toBe("newer");
    });
  });

  it("does not keep a value that the request has invalidated while it was read", async () => {
    const { cacheme } = await space();
    const { answers, Counting } = twoLoads({ caches: [perRequest(), ...localOnly!] });
    await cacheme.requestScope(async () => {
      const first = cacheme.get(new Counting(1));
      await settled();
      const invalidated = cacheme.invalidate(new Counting(1));
      const second = cacheme.get(new Counting(1));
      await settled();
      answers[0].resolve("old");
      answers[1].resolve("new");
      await invalidated;
      expect(await first).toBe("old");
      expect(await second).toBe("new");
      expect(await cacheme.get(new Counting(1))).toBe("new");
    });
  });

  it("does not keep a refreshed value that is older than the request's own write", async () => {
    const { cacheme } = await space();
    const { answers, Counting } = twoLoads({ caches: [perRequest(), ...localOnly!] });
    await cacheme.requestScope(async () => {
      const refreshed = cacheme.refresh(new Counting(1));
      await settled();
      await cacheme.set(new Counting(1), "set");
      answers[0].resolve("old");
      expect(await refreshed).toBe("old");
      expect(await cacheme.get(new Counting(1))).toBe("set");
    });
  });

  it("does not keep a failure", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: [perRequest()] }, (_, load) => {
      if (load === 1) throw new Error("down");
      return `load ${load}`;
    });
    await cacheme.requestScope(async () => {
      const outcomes = await cacheme.getAllSettled([new Counting(1), new Counting(1)]);
      expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
      expect(await cacheme.get(new Counting(1))).toBe("load 2");
      expect(await cacheme.get(new Counting(1))).toBe("load 2");
    });
    expect(loads).toEqual([1, 1]);
  });

  it("is not aborted by another reader's signal", async () => {
    const { cacheme } = await space();
    const { Counting, loading, loads } = loadingNode({ caches: [perRequest()] });
    await cacheme.requestScope(async () => {
      const abort = new AbortController();
      const leaving = cacheme.get(new Counting(1), { signal: abort.signal });
      const staying = cacheme.get(new Counting(1));
      await settled();
      abort.abort(new Error("left"));
      expect(await reason(leaving)).toMatchObject({ message: "left" });
      loading.resolve("value");
      expect(await staying).toBe("value");
      expect(await cacheme.get(new Counting(1), { signal: new AbortController().signal })).toBe("value");
    });
    expect(loads).toEqual([1]);
  });

  it("aborts the load when each reader has left, and then reads anew", async () => {
    const { cacheme } = await space();
    const signals: AbortSignal[] = [];
    const node = defineNode({
      name: "slow",
      key: (id: number) => `${id}`,
      load: (_, { signal }) => {
        signals.push(signal);
        return signals.length === 1 ? deferred<string>().promise : "second";
      },
      caches: [perRequest()],
    });
    await cacheme.requestScope(async () => {
      const [one, two] = [new AbortController(), new AbortController()];
      const reads = Promise.allSettled([one, two].map(({ signal }) => cacheme.get(node(1), { signal })));
      await settled();
      one.abort();
      await settled();
      expect(signals[0]?.aborted).toBe(false);
      two.abort();
      expect(await cacheme.get(node(1))).toBe("second");
      expect(signals[0]?.aborted).toBe(true);
      expect((await reads).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    });
  });

  it("gives each reader a copy if the local storage does", async () => {
    const cacheme = new Cacheme();
    await cacheme.registerStorage("copies", memory({ values: "cloned" }));
    const { Counting, loads } = countingNode({ caches: [perRequest(), { storage: "copies" }] }, () => ({
      list: [1],
    }));
    await cacheme.requestScope(async () => {
      const [first, second] = await cacheme.getAll([new Counting(1), new Counting(1)]);
      first.list.push(2);
      second.list.push(3);
      expect(await cacheme.get(new Counting(1))).toEqual({ list: [1] });
      const own = { list: [4] };
      await cacheme.set(new Counting(1), own);
      own.list.push(5);
      expect(await cacheme.get(new Counting(1))).toEqual({ list: [4] });
      expect(cacheme.getSync(new Counting(1) as never)).toEqual({ list: [4] });
    });
    expect(loads).toEqual([1]);
  });

  it("is synchronous with getSync, and keeps the value for get", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = numbered([]);
    const node = new Counting(1) as never;
    await cacheme.requestScope(async () => {
      expect(cacheme.getSync(node)).toBe("load 1");
      expect(cacheme.getSync(node)).toBe("load 1");
      expect(await cacheme.get(new Counting(1))).toBe("load 1");
    });
    expect(loads).toEqual([1]);
  });

  it("is kept for memoized functions, and gathered with the reads of its tick", async () => {
    const { cacheme } = await space();
    const calls: number[] = [];
    const node = defineNode({ name: "memo", key: (id: number) => `${id}`, caches: [perRequest()] });
    const find = cacheme.memoize(async (id: number) => calls.push(id), node);
    await cacheme.requestScope(async () => {
      expect(await Promise.all([find(1), find(1), find(2)])).toEqual([1, 1, 2]);
      expect(await find(2)).toBe(2);
    });
    const bulk: number[][] = [];
    const many = defineNode({
      name: "many",
      key: (id: number) => `${id}`,
      loadAll: (ids: readonly number[]) => {
        bulk.push([...ids]);
        return ids.map(String);
      },
      caches: [perRequest()],
    });
    await cacheme.requestScope(async () => {
      await cacheme.getAll([many(1), many(2), many(1)]);
      await Promise.all([cacheme.get(many(2)), cacheme.get(many(3))]);
    });
    expect(bulk).toEqual([[1, 2], [3]]);
  });

  it("bypasses the request within a load, which other requests share", async () => {
    const { cacheme } = await space();
    const { Counting } = numbered([], { name: "part" });
    const whole = defineNode({
      name: "whole",
      key: (given: string) => given,
      load: (_given, { get }) => get(new Counting(1)),
      caches: [],
    });
    await cacheme.requestScope(async () => {
      expect(await cacheme.get(new Counting(1))).toBe("load 1");
      expect(await cacheme.get(whole("1"))).toBe("load 2");
      expect(await cacheme.get(new Counting(1))).toBe("load 1");
    });
  });

  it("counts as a hit of the request, once it is answered", async () => {
    const { cacheme } = await space();
    const { Counting } = numbered(localOnly);
    const hits: unknown[] = [];
    cacheme.on("hit", (hit) => hits.push(hit));
    await cacheme.requestScope(async () => {
      await Promise.all([cacheme.get(new Counting(1)), cacheme.get(new Counting(1))]);
      await cacheme.get(new Counting(1));
    });
    await cacheme.get(new Counting(1));
    expect(cacheme.stats(Counting)).toMatchObject({
      requestCount: 4,
      missCount: 1,
      coalescedCount: 1,
      hits: { local: 1, request: 2 },
    });
    expect(hits).toEqual([
      { node: "counting", key: "1", storage: "request", readers: 1 },
      { node: "counting", key: "1", storage: "request", readers: 1 },
      { node: "counting", key: "1", storage: "local", readers: 1 },
    ]);
  });

  it("is explained", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loading } = loadingNode({ caches: [perRequest(), ...localOnly!] });
    const explained = async () => {
      const { origin, tiers } = await cacheme.explain(new Counting(1));
      return [origin, tiers[0]?.storage, tiers[0]?.verdict, tiers[0]?.age];
    };
    expect(await explained()).toEqual([undefined, "request", "no-request", undefined]);
    await cacheme.requestScope(async () => {
      expect(await explained()).toEqual([undefined, "request", "absent", undefined]);
      const reading = cacheme.get(new Counting(1));
      await settled();
      expect(await explained()).toEqual(["request", "request", "pending", 0]);
      loading.resolve("value");
      await reading;
      clock.advance(5);
      expect(await explained()).toEqual(["request", "request", "fresh", 5]);
    });
    expect(await explained()).toEqual(["local", "request", "no-request", undefined]);
  });
});

describe("a request's own invalidation of tags and scopes", () => {
  it("drops the values that carry the tag, and keeps the others", async () => {
    const { cacheme } = await taggedSpace();
    const loads: string[] = [];
    const tagged = defineNode({
      name: "tagged",
      key: (tag: string) => tag,
      tags: (tag) => [tag],
      load: (tag) => `${tag} ${loads.push(tag)}`,
      caches: [perRequest(), ...remoteOnly!],
    });
    const read = () => cacheme.getAll([tagged("a"), tagged("b")]);
    await cacheme.requestScope(async () => {
      expect(await read()).toEqual(["a 1", "b 2"]);
      await cacheme.invalidateTags("a");
      expect(await read()).toEqual(["a 3", "b 2"]);
    });
  });

  it.each(["another process", "its load", "its writer"])(
    "drops a value whose tag only %s told",
    async (teller) => {
      const { cacheme, clock, process } = await taggedSpace();
      const told = () =>
        defineNode({
          name: "told",
          key: (id: number) => `${id}`,
          load: (id, { tag }) => {
            tag(`team:${id}`);
            return "loaded";
          },
          caches: [perRequest(), ...remoteOnly!],
        });
      const mine = told();
      const other = await process();
      await other.get(told()(1)); // The tag is too new for the value to be stored.
      clock.advance(1_000);
      // A process that finds the value in a remote tier has run no load that tells tags.
      if (teller === "another process") await other.get(told()(1));
      await cacheme.requestScope(async () => {
        if (teller === "its writer") await cacheme.set(mine(1), "set", { tags: ["team:1"] });
        expect(await cacheme.get(mine(1))).toBe(teller === "its writer" ? "set" : "loaded");
        expect((await cacheme.explain(mine(1))).origin).toBe("request");
        await cacheme.invalidateTags("team:1");
        expect((await cacheme.explain(mine(1))).origin).toBeUndefined();
      });
    },
  );

  it("drops what was read from a tier that the invalidation has not reached yet", async () => {
    const { cacheme, remote } = await taggedSpace();
    let version = 1;
    const row = defineNode({
      name: "row",
      key: (id: number) => `${id}`,
      tags: () => ["rows"],
      load: () => version,
      caches: [perRequest(), ...remoteOnly!],
    });
    const user = defineNode({ name: "user", key: () => "1", load: () => 1, caches: remoteOnly });
    const dependent = defineNode({
      name: "dependent",
      key: () => "1",
      dependsOn: () => [user()],
      load: () => version,
      caches: [perRequest(), ...remoteOnly!],
    });
    await cacheme.requestScope(async () => {
      const read = () => cacheme.getAll([row(1), dependent()]);
      expect(await read()).toEqual([1, 1]);
      version = 2;
      const held = deferred();
      remote.gate = (operation, moment) =>
        (operation === "bump" || operation === "remove") && moment === "request" ? held.promise : undefined;
      const invalidated = Promise.all([cacheme.invalidateTags("rows"), cacheme.invalidate(user())]);
      expect(await read()).toEqual([1, 1]);
      held.resolve();
      await invalidated;
      expect(await read()).toEqual([2, 2]);
    });
  });

  it("drops the values of a scope, and those that depend on an invalidated node", async () => {
    const { cacheme } = await taggedSpace();
    cacheme.defineScopes("org");
    let loads = 0;
    const load = () => ++loads;
    const caches = [perRequest(), ...twoTiers!];
    const invoice = defineNode({
      name: "invoice",
      key: (org: number) => `${org}`,
      scope: (org) => ({ org }),
      load,
      caches,
    });
    const user = defineNode({ name: "user", key: (id: number) => `${id}`, load, caches });
    const posts = defineNode({
      name: "posts",
      key: (id: number) => `${id}`,
      dependsOn: (id) => [user(id)],
      load,
      caches,
    });
    const read = () => cacheme.getAll([invoice(1), invoice(2), posts(1), posts(2)]);
    await cacheme.requestScope(async () => {
      expect(await read()).toEqual([1, 2, 3, 4]);
      await cacheme.invalidateScope({ org: 1 });
      expect(await read()).toEqual([5, 2, 3, 4]);
      await cacheme.invalidate(user(2));
      expect(await read()).toEqual([5, 2, 3, 6]);
      await cacheme.invalidateMatching("user:1");
      expect(await read()).toEqual([5, 2, 7, 6]);
    });
  });
});

describe("a request's own save", () => {
  it.each(["through", "around"] as const)("is read back, %s", async (write) => {
    const { cacheme } = await space();
    const rows = new Map([[1, "old"]]);
    const row = defineNode({
      name: "row",
      key: (id: number) => `${id}`,
      load: (id) => rows.get(id) ?? "none",
      save: (id, value: string) => void rows.set(id, value),
      caches: [perRequest(), ...twoTiers!],
      write,
    });
    await cacheme.requestScope(async () => {
      expect(await cacheme.get(row(1))).toBe("old");
      await cacheme.save(row(1), "new");
      expect(await cacheme.get(row(1))).toBe("new");
    });
  });

  it("is read back after a transaction, and not after a rollback", async () => {
    const { cacheme } = await space();
    const rows = new Map([[1, "old"]]);
    const row = defineNode({
      name: "row",
      key: (id: number) => `${id}`,
      load: (id) => rows.get(id) ?? "none",
      caches: [perRequest(), ...twoTiers!],
    });
    await cacheme.requestScope(async () => {
      expect(await cacheme.get(row(1))).toBe("old");
      await cacheme.afterCommit(async () => {
        await cacheme.invalidate(row(1));
        rows.set(1, "new");
        expect(await cacheme.get(row(1))).toBe("old");
      });
      expect(await cacheme.get(row(1))).toBe("new");
      const rolledBack = cacheme.afterCommit(async () => {
        rows.set(1, "uncommitted");
        await cacheme.invalidate(row(1));
        await cacheme.refresh(row(1));
        rows.set(1, "new");
        throw new Error("rollback");
      });
      expect(await reason(rolledBack)).toMatchObject({ message: "rollback" });
      expect(await cacheme.get(row(1))).toBe("new");
    });
  });
});

describe("a request", () => {
  it("ends with its function's promise; work that goes on reads as outside", async () => {
    const { cacheme } = await space();
    const { Counting } = numbered([]);
    const later = deferred();
    let background: Promise<unknown> | undefined;
    await cacheme.requestScope(async () => {
      expect(await cacheme.get(new Counting(1))).toBe("load 1");
      background = later.promise.then(async () => [
        await cacheme.get(new Counting(1)),
        await cacheme.get(new Counting(1)),
        (await cacheme.explain(new Counting(1))).tiers[0]?.verdict,
      ]);
    });
    const other = cacheme.requestScope(async () => await settled()); // Keeps the context in use.
    later.resolve();
    expect(await background).toEqual(["load 2", "load 3", "no-request"]);
    await other;
    expect(sharedState.requestsRunning).toBe(0);
  });

  it("drops a read that settles after its end", async () => {
    const { cacheme } = await space();
    const { Counting, loading } = loadingNode({ caches: [perRequest()] });
    let read: Promise<unknown> | undefined;
    void cacheme.requestScope(() => {
      read = cacheme.get(new Counting(1));
    });
    await settled();
    loading.resolve("value");
    expect(await read).toBe("value");
    expect(sharedState.requestsRunning).toBe(0);
  });

  it("returns what its function returns, and throws what it throws", async () => {
    expect(requestScope(() => 1)).toBe(1);
    expect(
      thrownBy(() =>
        requestScope(() => {
          throw new Error("now");
        }),
      ),
    ).toMatchObject({ message: "now" });
    expect(
      await reason(
        requestScope(async () => {
          throw new Error("later");
        }),
      ),
    ).toMatchObject({ message: "later" });
    expect(sharedState.requestsRunning).toBe(0);
  });

  it("runs a lazy promise once, within the request", async () => {
    const { cacheme } = await space();
    const { Counting } = numbered([]);
    let runs = 0;
    const lazy: PromiseLike<unknown> = {
      // biome-ignore lint/suspicious/noThenProperty: such as a query builder's
      then(resolve, reject) {
        runs += 1;
        return cacheme.getAll([new Counting(1), new Counting(1)]).then(resolve, reject);
      },
    };
    expect(await requestScope(() => lazy)).toEqual(["load 1", "load 1"]);
    expect(runs).toBe(1);
  });

  it("ends when its response closes, for servers whose middleware returns at once", async () => {
    const { cacheme } = await space();
    const { Counting } = numbered([]);
    const response = new EventEmitter();
    const handled = deferred<unknown[]>();
    const next = () => {
      void (async () => {
        const values = [await cacheme.get(new Counting(1)), await cacheme.get(new Counting(1))];
        response.emit("close");
        handled.resolve([...values, await cacheme.get(new Counting(1))]);
      })();
    };
    expect(cacheme.requestScope(next, { until: response })).toBeUndefined();
    expect(await handled.promise).toEqual(["load 1", "load 1", "load 2"]);
    expect(sharedState.requestsRunning).toBe(0);
    const closed = Object.assign(new EventEmitter(), { closed: true });
    requestScope(() => {}, { until: closed });
    expect(sharedState.requestsRunning).toBe(0);
    expect(closed.listenerCount("close")).toBe(0);
  });

  it("within another one is a part of it, and of no concurrent one", async () => {
    const { cacheme } = await space();
    const { Counting } = numbered([]);
    const read = () => cacheme.requestScope(() => cacheme.get(new Counting(1)));
    const request = () =>
      cacheme.requestScope(async () => [await read(), await read(), await cacheme.get(new Counting(1))]);
    const answers = await Promise.all([request(), request()]);
    expect(answers.map((values) => new Set(values).size)).toEqual([1, 1]);
    expect(await read()).not.toBe(answers[0]?.[0]);
  });

  it("holds for the nodes of every space, and keeps the spaces apart", async () => {
    const [one, two] = [await space(), await space()];
    const { Counting } = numbered([]);
    await requestScope(async () => {
      expect(await one.cacheme.get(new Counting(1))).toBe("load 1");
      expect(await two.cacheme.get(new Counting(1))).toBe("load 2");
      await two.cacheme.invalidate(new Counting(1));
      expect(await one.cacheme.get(new Counting(1))).toBe("load 1");
      expect(await two.cacheme.get(new Counting(1))).toBe("load 3");
    });
  });

  it("is none for a class without the tier, and without a request each read is shared", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: [] }, (_, load) => load);
    await cacheme.requestScope(async () => {
      expect(await cacheme.get(new Counting(1))).toBe(1);
      expect(await cacheme.get(new Counting(1))).toBe(2);
    });
    const kept = numbered(localOnly, { name: "kept" });
    expect(await cacheme.get(new kept.Counting(1))).toBe("load 1");
    expect(await cacheme.getAll([new kept.Counting(1)])).toEqual(["load 1"]);
    await cacheme.invalidate(new kept.Counting(1));
    expect(await cacheme.get(new kept.Counting(1))).toBe("load 2");
  });

  it("does not change what warm reports", async () => {
    const { cacheme } = await space();
    const { Counting } = numbered(localOnly);
    await cacheme.requestScope(async () => {
      await cacheme.get(new Counting(1));
      expect(await cacheme.warm([new Counting(1), new Counting(2)])).toMatchObject({ warmed: 1, fresh: 1 });
    });
  });

  it("refuses bad input", async () => {
    const invalid = { code: "CACHEME_INVALID_OPTION" };
    expect(thrownBy(() => requestScope(1 as never))).toMatchObject(invalid);
    expect(thrownBy(() => requestScope(() => 1, { until: {} as never }))).toMatchObject(invalid);
    expect(thrownBy(() => requestScope(() => 1, { untill: 1 } as never))).toMatchObject(invalid);
    const { cacheme } = await space();
    const read = (caches: NodeMeta["caches"]) =>
      reason(cacheme.get(new (countingNode({ caches }, () => 1).Counting)(1)));
    const refused = { code: "CACHEME_INVALID_META", node: "counting" };
    expect(await read([...localOnly!, perRequest()])).toMatchObject(refused);
    expect(await read([perRequest(), perRequest()])).toMatchObject(refused);
    expect(await read([perRequest(), { storage: "request" }])).toMatchObject(refused);
  });
});
