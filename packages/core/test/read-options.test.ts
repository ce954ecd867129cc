import { describe, expect, it } from "vitest";
import {
  Cacheme,
  defineNode,
  type Entry,
  type LoadAll,
  type LoadContext,
  Node,
  type NodeMeta,
} from "../src/index.js";
import { deferred, settled } from "./support/deferred.js";
import { hold } from "./support/hold.js";
import { loadingNode, twoLoads } from "./support/loading-nodes.js";
import { reason } from "./support/reason.js";
import { countingNode, localOnly, NumberedNode, remoteOnly, space, twoTiers } from "./support/space.js";
import { watched } from "./support/watched.js";

describe("maxAge", () => {
  it("answers a local entry of at most that age, and loads older ones again", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (_, load) => load);
    await cacheme.get(new Counting(1));
    clock.advance(5_000);
    expect(await cacheme.get(new Counting(1), { maxAge: "5s" })).toBe(1);
    clock.advance(1);
    expect(await cacheme.get(new Counting(1), { maxAge: "5s" })).toBe(2);
    expect(await cacheme.get(new Counting(1))).toBe(2);
  });

  it("loads an entry again that seems to come from the future, because a clock was set", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (_, load) => load);
    await cacheme.get(new Counting(1));
    clock.advance(-5_000);
    expect(await cacheme.get(new Counting(1), { maxAge: "5s" })).toBe(1);
    clock.advance(-1);
    expect(await cacheme.get(new Counting(1), { maxAge: "5s" })).toBe(2);
  });

  it("takes a young enough remote value if the local one is too old", async () => {
    const { cacheme, clock, remote } = await space();
    const { Counting, loads } = countingNode({ caches: twoTiers }, (id) => `loaded ${id}`);
    await cacheme.set(new Counting(1), "old");
    clock.advance(10_000);
    const other = new Cacheme({ clock });
    await other.registerStorage("remote", remote);
    const there = countingNode({ caches: remoteOnly }, (id) => id as unknown as string);
    await other.set(new there.Counting(1), "young");
    clock.advance(2_000);
    expect(await cacheme.get(new Counting(1), { maxAge: "5s" })).toBe("young");
    expect(loads).toEqual([]);
    expect(cacheme.peekLocal(new Counting(1))).toMatchObject({
      value: "young",
      writtenAt: clock.now() - 2_000,
    });
  });

  it("skips a remote value that is too old, loads, and stores the new one everywhere", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (_, load) => load);
    await cacheme.get(new Counting(1));
    clock.advance(60_001); // Gone from the local tier.
    expect(await cacheme.get(new Counting(1), { maxAge: "1m" })).toBe(2);
    clock.advance(60_001);
    expect((await cacheme.peek(new Counting(1)))?.value).toBe(2);
  });

  it("joins no read under way that may answer with an older value", async () => {
    const { cacheme, clock, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, (_, load) => `loaded ${load}`);
    await cacheme.set(new Counting(1), "old");
    clock.advance(10_000);
    const answering = deferred();
    remote.gate = (_, moment) => (moment === "answer" ? answering.promise : undefined);
    const any = cacheme.get(new Counting(1));
    const young = cacheme.get(new Counting(1), { maxAge: "5s" });
    answering.resolve();
    expect(await Promise.all([any, young])).toEqual(["old", "loaded 1"]);
  });

  it("joins a read under way that is at its load", async () => {
    const { cacheme } = await space();
    const { loading, Counting, loads } = loadingNode<string>({ caches: localOnly });
    const first = cacheme.get(new Counting(1));
    await settled();
    const second = cacheme.get(new Counting(1), { maxAge: "1s" });
    loading.resolve("value");
    expect(await Promise.all([first, second])).toEqual(["value", "value"]);
    expect(loads).toEqual([1]);
  });

  it("applies to every node of a getAll", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly }, (id) => id);
    await cacheme.get(new Counting(1));
    clock.advance(2_000);
    await cacheme.get(new Counting(2));
    await cacheme.getAll([new Counting(1), new Counting(2)], { maxAge: "1s" });
    expect(loads).toEqual([1, 2, 1]);
  });
});

describe("fresh", () => {
  it("skips every tier, and stores the new value in all of them", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (_, load) => load);
    await cacheme.get(new Counting(1));
    expect(await cacheme.get(new Counting(1), { fresh: true })).toBe(2);
    expect(await cacheme.get(new Counting(1))).toBe(2);
    clock.advance(60_000);
    expect(await cacheme.get(new Counting(1))).toBe(2);
  });

  it("joins no load that has begun", async () => {
    const { cacheme } = await space();
    const { answers, Counting } = twoLoads({ caches: localOnly });
    const early = cacheme.get(new Counting(1));
    await settled();
    const fresh = cacheme.get(new Counting(1), { fresh: true });
    await settled();
    answers[0]!.resolve("old");
    answers[1]!.resolve("new");
    expect(await Promise.all([early, fresh])).toEqual(["old", "new"]);
    expect(await cacheme.get(new Counting(1))).toBe("new");
  });

  it("leaves the old value in place when the load fails", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (_, load) => {
      if (load === 2) throw new Error("the source is down");
      return load;
    });
    await cacheme.get(new Counting(1));
    expect(await reason(cacheme.get(new Counting(1), { fresh: true }))).toEqual(
      new Error("the source is down"),
    );
    expect(await cacheme.get(new Counting(1))).toBe(1);
  });

  it("accepts a load of the reader's own", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, () => "the node's");
    await cacheme.get(new Counting(1));
    expect(await cacheme.get(new Counting(1), { fresh: true, load: () => "the reader's" })).toBe(
      "the reader's",
    );
    expect(await cacheme.refresh(new Counting(1), { load: () => "a refresh's" })).toBe("a refresh's");
    expect(await cacheme.get(new Counting(1))).toBe("a refresh's");
  });
});

describe("signal", () => {
  it("does not abort a load that a refresh's reader follows while that reader stays", async () => {
    const { cacheme } = await space();
    const loading = deferred<string>();
    const { Watched, signals } = watched(() => loading.promise);
    const [refresher, reader] = [new AbortController(), new AbortController()];
    const refreshed = reason(cacheme.refresh(new Watched(), { signal: refresher.signal }));
    await settled();
    const read = cacheme.get(new Watched(), { signal: reader.signal });
    await settled();
    refresher.abort(new Error("left"));
    expect(await refreshed).toEqual(new Error("left"));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    loading.resolve("value");
    expect(await read).toBe("value");
  });

  it("aborts a load when the reader that follows it leaves too", async () => {
    const { cacheme } = await space();
    const { Watched, signals } = watched(
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    );
    const [refresher, reader] = [new AbortController(), new AbortController()];
    const refreshed = reason(cacheme.refresh(new Watched(), { signal: refresher.signal }));
    await settled();
    const read = reason(cacheme.get(new Watched(), { signal: reader.signal }));
    await settled();
    refresher.abort();
    reader.abort();
    await Promise.all([refreshed, read]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it("aborts a loadAll when the readers of all its nodes have left, and not before", async () => {
    const { cacheme } = await space();
    let signal: AbortSignal | undefined;
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { caches: localOnly };
      static override loadAll: LoadAll<Bulk> = (_, context) => {
        signal = context.signal;
        return new Promise(() => {});
      };
    }
    const leaving = [new AbortController(), new AbortController()];
    const reads = leaving.map(({ signal: own }, id) => reason(cacheme.get(new Bulk(id), { signal: own })));
    await settled();
    leaving[0]!.abort();
    expect(signal?.aborted).toBe(false);
    leaving[1]!.abort();
    expect(signal?.aborted).toBe(true);
    await Promise.all(reads);
  });

  it("does not run a load that waits for its turn if all its readers have left meanwhile", async () => {
    const { cacheme } = await space();
    const first = deferred<number>();
    const { Counting, loads } = countingNode({ caches: localOnly, concurrency: 1 }, (id) =>
      id === 0 ? first.promise : id,
    );
    const leaving = new AbortController();
    const running = cacheme.get(new Counting(0));
    const left = [1, 2, 3].map((id) => reason(cacheme.get(new Counting(id), { signal: leaving.signal })));
    const stays = cacheme.get(new Counting(4));
    await settled();
    leaving.abort(new Error("left"));
    first.resolve(0);
    expect(await Promise.all([running, ...left, stays])).toEqual([0, ...Array(3).fill(new Error("left")), 4]);
    expect(loads).toEqual([0, 4]);
    expect(cacheme.stats(Counting).loadCount).toBe(2);
  });

  it("has no effect on a value that a tier has, unless it has aborted before", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    await cacheme.get(new Counting(1));
    const { signal } = new AbortController();
    expect(await cacheme.get(new Counting(1), { signal })).toBe(1);
    const aborted = AbortSignal.abort(new Error("too late"));
    expect(await reason(cacheme.get(new Counting(1), { signal: aborted }))).toEqual(new Error("too late"));
    expect(await reason(cacheme.getAll([new Counting(1)], { signal: aborted }))).toEqual(
      new Error("too late"),
    );
  });
});

/** Makes a class whose load is the function. */
function nodeWith<V>(meta: NodeMeta, load: (context: LoadContext<V>) => V | Promise<V>) {
  return class Contextual extends Node<V> {
    static override meta: NodeMeta = { name: "contextual", ...meta };
    key() {
      return "k";
    }
    override load(context: LoadContext<V>) {
      return load(context);
    }
  };
}

describe("context.previous", () => {
  it("is the local tier's value on refresh, fresh and an exceeded maxAge, and missing on a first load", async () => {
    const { cacheme, clock } = await space();
    const seen: (Entry<number> | undefined)[] = [];
    const Contextual = nodeWith<number>({ caches: localOnly }, ({ previous }) => seen.push(previous));
    await cacheme.get(new Contextual());
    clock.advance(10_000);
    await cacheme.refresh(new Contextual());
    await cacheme.get(new Contextual(), { fresh: true });
    clock.advance(10_000);
    await cacheme.get(new Contextual(), { maxAge: "5s" });
    expect(seen.map((entry) => entry?.value)).toEqual([undefined, 1, 2, 3]);
    expect(seen[1]).toMatchObject({ origin: "local", ttl: 50_000, writtenAt: clock.now() - 20_000 });
  });

  it("is an expired value that a tier still holds", async () => {
    const { cacheme, clock } = await space();
    const seen: unknown[] = [];
    const Contextual = nodeWith<number>({ caches: localOnly }, ({ previous }) => seen.push(previous));
    await cacheme.get(new Contextual());
    clock.advance(60_000);
    await cacheme.refresh(new Contextual());
    expect(seen).toEqual([undefined, expect.objectContaining({ value: 1, ttl: expect.any(Number) })]);
  });
});

describe("context.ttl", () => {
  it("keeps the value in the last tier for just as long, and in the tiers before it for at most as long", async () => {
    const { cacheme, clock, remote } = await space();
    for (const [ttl, local, last] of [
      ["2h", 60_000, 7_200_000],
      ["20s", 20_000, 20_000],
      ["250ms", 250, 250],
    ] as const) {
      const Contextual = nodeWith<number>({ name: `for-${ttl}`, caches: twoTiers }, (context) => {
        context.ttl(ttl);
        return 1;
      });
      await cacheme.get(new Contextual());
      expect(cacheme.peekLocal(new Contextual())?.ttl).toBe(local);
      expect(remote.records.get(`cacheme:for-${ttl}:k:1`)?.until).toBe(clock.now() + last);
    }
  });

  it("counts from when the value is stored, and the last call counts", async () => {
    const { cacheme, clock } = await space();
    const loading = deferred<number>();
    const Contextual = nodeWith<number>({ caches: localOnly }, ({ ttl }) => {
      ttl("1h");
      ttl("5s");
      return loading.promise;
    });
    const read = cacheme.get(new Contextual());
    await settled();
    clock.advance(29_000);
    loading.resolve(1);
    await read;
    expect(cacheme.peekLocal(new Contextual())?.ttl).toBe(5_000);
  });
});

describe("context.skip", () => {
  it("returns the value to every reader and does not store it", async () => {
    const { cacheme, remote } = await space();
    let loads = 0;
    const Contextual = nodeWith<number>({ caches: twoTiers }, ({ skip }) => {
      skip();
      loads += 1;
      return loads;
    });
    expect(await Promise.all([cacheme.get(new Contextual()), cacheme.get(new Contextual())])).toEqual([1, 1]);
    expect([cacheme.peekLocal(new Contextual()), remote.records.size]).toEqual([undefined, 0]);
    expect(await cacheme.get(new Contextual())).toBe(2);
  });
});

describe("context.for", () => {
  it("gives each node of a loadAll its previous value, its ttl and whether it is stored", async () => {
    const { cacheme } = await space();
    const seen: unknown[] = [];
    class Bulk extends NumberedNode<string> {
      static override meta: NodeMeta = { name: "bulk", caches: localOnly };
      static override loadAll: LoadAll<Bulk> = (nodes, context) =>
        nodes.map((node) => {
          const own = context.for(node);
          seen.push(own.previous?.value);
          if (node.id === 1) own.ttl("5s");
          if (node.id === 2) own.skip();
          return `value ${node.id}`;
        });
    }
    const nodes = [1, 2, 3].map((id) => new Bulk(id));
    await cacheme.set(nodes[2]!, "old 3");
    await cacheme.getAll(nodes, { fresh: true });
    expect(seen).toEqual([undefined, undefined, "old 3"]);
    expect(nodes.map((node) => cacheme.peekLocal(node)?.ttl)).toEqual([5_000, undefined, 60_000]);
  });

  it("finds a node by its class and key, so that a defined node's loadAll can use it too", async () => {
    const { cacheme } = await space();
    const item = defineNode({
      name: "read-options-item",
      key: (id: number) => `${id}`,
      caches: localOnly,
      loadAll: (ids, context) => {
        for (const id of ids) context.for(item(id)).ttl(id * 1_000);
        return ids.map((id) => `value ${id}`);
      },
    });
    await cacheme.getAll([item(1), item(2)]);
    expect([1, 2].map((id) => cacheme.peekLocal(item(id))?.ttl)).toEqual([1_000, 2_000]);
  });

  it("refuses a node that the call does not load", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    const loadOne = (given: () => Node) => {
      class Bulk extends Node<number> {
        static override meta: NodeMeta = { name: "bulk", caches: localOnly };
        static override loadAll: LoadAll<Bulk> = (nodes, context) => {
          context.for(given());
          return nodes.map(() => 1);
        };
        key() {
          return "1";
        }
      }
      return new Bulk();
    };
    expect(await reason(cacheme.get(loadOne(() => new Counting(1))))).toMatchObject({
      code: "CACHEME_LOAD_SHAPE",
      node: "bulk",
      message: expect.stringMatching(/context\.for.*does not load.*first argument/),
    });
  });
});

describe("peek", () => {
  it("tells a cached undefined from a miss, locally and remotely", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = countingNode<undefined>({ caches: twoTiers }, () => undefined);
    expect([await cacheme.peek(new Counting(1)), cacheme.peekLocal(new Counting(1))]).toEqual([
      undefined,
      undefined,
    ]);
    expect(await cacheme.get(new Counting(1))).toBeUndefined();
    expect(cacheme.peekLocal(new Counting(1))).toMatchObject({
      value: undefined,
      origin: "local",
      ttl: 60_000,
    });
    clock.advance(60_000);
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
    expect(await cacheme.peek(new Counting(1))).toMatchObject({
      value: undefined,
      origin: "remote",
      ttl: 540_000,
      writtenAt: clock.now() - 60_000,
      freshUntil: clock.now() + 540_000,
      size: expect.any(Number),
      hits: undefined,
    });
    expect(await cacheme.get(new Counting(1))).toBeUndefined();
    expect(loads).toEqual([1]);
  });

  it.each([null, false, 0, "", Number.NaN, undefined])(
    "takes %o as a value like any other",
    async (value) => {
      const { cacheme, clock } = await space();
      const { Counting, loads } = countingNode<unknown>({ caches: twoTiers }, () => value);
      for (const wait of [0, 0, 60_000]) {
        clock.advance(wait);
        expect(await cacheme.get(new Counting(1))).toBe(value);
      }
      expect(loads).toEqual([1]);
    },
  );

  it("fills no tier and counts no hit of the entry", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (id) => id);
    await cacheme.get(new Counting(1));
    await cacheme.get(new Counting(1));
    await cacheme.peek(new Counting(1));
    expect(cacheme.peekLocal(new Counting(1))?.hits).toBe(1);
    clock.advance(60_000);
    await cacheme.peek(new Counting(1));
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
  });
});

describe("the result of a load", () => {
  it("may be any thenable, even one that resolves with another", async () => {
    const { cacheme } = await space();
    // biome-ignore lint/suspicious/noThenProperty: query builders are such objects
    const query = { then: (resolve: (value: unknown) => void) => resolve(Promise.resolve(7)) };
    const { Counting } = countingNode<unknown>({ caches: localOnly }, () => query);
    expect(await cacheme.get(new Counting(1))).toBe(7);
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe(7);
  });
});

describe("set", () => {
  it("does not leave an older value if its own ttl expires before its turn comes", async () => {
    const { cacheme, clock, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, () => "loaded");
    const writing = hold(remote, "write", "request");
    const older = cacheme.set(new Counting(1), "older");
    await settled();
    const newer = cacheme.set(new Counting(1), "newer", { ttl: 5 });
    clock.advance(10);
    writing.resolve();
    await Promise.all([older, newer]);
    expect(await cacheme.get(new Counting(1))).toBe("loaded");
  });

  it("keeps the value for the given ttl, and for the tiers' own otherwise", async () => {
    const { cacheme, clock, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (id) => id);
    await cacheme.setAll([[new Counting(1), 1]], { ttl: "2h" });
    await cacheme.set(new Counting(2), 2, { ttl: 300 });
    await cacheme.set(new Counting(3), 3);
    const kept = (id: number) => [
      cacheme.peekLocal(new Counting(id))?.ttl,
      remote.records.get(`cacheme:counting:${id}:1`)!.until - clock.now(),
    ];
    expect([kept(1), kept(2), kept(3)]).toEqual([
      [60_000, 7_200_000],
      [300, 300],
      [60_000, 600_000],
    ]);
  });
});
