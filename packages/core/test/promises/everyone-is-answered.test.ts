import { describe, expect, it } from "vitest";
import { type LoadAll, type LoadContext, LoadCycleError, Node, type NodeMeta } from "../../src/index.js";
import { settled } from "../support/deferred.js";
import { loadingNode } from "../support/loading-nodes.js";
import { countingNode, localOnly, NumberedNode, space, twoTiers } from "../support/space.js";
import { watched } from "../support/watched.js";

const reason = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable("It was to be rejected."),
    (error: unknown) => error,
  );

describe("promise 5: everyone is answered", () => {
  it("gives every joined reader the load's own error, stores nothing, and loads again the next time", async () => {
    const { cacheme } = await space();
    const boom = new Error("the source is down");
    const { Counting, loads } = countingNode({ caches: twoTiers }, (_, load) => {
      if (load === 1) throw boom;
      return "value";
    });
    const readers = [
      cacheme.get(new Counting(1)),
      cacheme.get(new Counting(1)),
      cacheme.getAll([new Counting(1)]),
    ];
    expect(await Promise.all(readers.map(reason))).toEqual([boom, boom, boom]);
    expect(await cacheme.peek(new Counting(1))).toBeUndefined();
    expect(await cacheme.get(new Counting(1))).toBe("value");
    expect(loads).toHaveLength(2);
  });

  it("passes on a thrown value unchanged, even if it is not an Error", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, () => Promise.reject("just a text"));
    expect(await reason(cacheme.get(new Counting(1)))).toBe("just a text");
  });

  it("settles getAll key by key", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => {
      if (id === 2) throw new Error("no 2");
      return id;
    });
    const outcomes = await cacheme.getAllSettled([1, 2, 3].map((id) => new Counting(id)));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await reason(cacheme.getAll([4, 2, 5].map((id) => new Counting(id))))).toEqual(new Error("no 2"));
    expect(cacheme.peekLocal(new Counting(5))?.value).toBe(5);
  });

  it("lets an Error in loadAll's list only fail its own node", async () => {
    const { cacheme } = await space();
    const gone = new Error("gone");
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { caches: localOnly };
      static override loadAll: LoadAll<Bulk> = (nodes) => nodes.map(({ id }) => (id === 2 ? gone : id));
    }
    expect(await cacheme.getAllSettled([1, 2, 3].map((id) => new Bulk(id)))).toEqual([
      { status: "fulfilled", value: 1 },
      { status: "rejected", reason: gone },
      { status: "fulfilled", value: 3 },
    ]);
  });

  it.each([
    ["another length", [1]],
    ["no list", undefined],
  ])("refuses a loadAll that returns %s, for all of its nodes", async (_, answer) => {
    const { cacheme } = await space();
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { caches: localOnly };
      static override loadAll: LoadAll<Bulk> = () => answer as never;
    }
    const outcomes = await cacheme.getAllSettled([new Bulk(1), new Bulk(2)]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: { code: "CACHEME_LOAD_SHAPE", node: "Bulk" },
      });
    }
  });

  it("fails a load that takes longer than its loadTimeout, and aborts its signal", async () => {
    const { cacheme, clock } = await space();
    let signal: AbortSignal | undefined;
    class Slow extends Node<number> {
      static override meta: NodeMeta = { name: "slow", caches: localOnly, loadTimeout: "2s" };
      key() {
        return "k";
      }
      override load(context: LoadContext<number>) {
        signal = context.signal;
        return new Promise<number>(() => {});
      }
    }
    const read = reason(cacheme.get(new Slow()));
    await settled();
    clock.advance(2_000);
    expect(await read).toMatchObject({ code: "CACHEME_LOAD_TIMEOUT", node: "slow", key: "k" });
    expect(signal?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it("leaves no timer behind when a load ends in time", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: localOnly, loadTimeout: "2s" }, (id) => id);
    await cacheme.get(new Counting(1));
    expect(clock.pending).toBe(0);
  });
});

describe("readers who leave", () => {
  it("rejects a reader with its signal's reason, and answers the others", async () => {
    const { cacheme } = await space();
    const { loading, Counting } = loadingNode<string>({ caches: localOnly });
    const leaving = new AbortController();
    const left = reason(cacheme.get(new Counting(1), { signal: leaving.signal }));
    const stays = cacheme.get(new Counting(1));
    await settled();
    leaving.abort(new Error("the user went away"));
    expect(await left).toEqual(new Error("the user went away"));
    loading.resolve("value");
    expect(await stays).toBe("value");
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe("value");
  });

  it("aborts the load when every reader has left, and loads again for the next one", async () => {
    const { cacheme } = await space();
    const { Watched, signals } = watched((_, count) => (count === 1 ? new Promise<number>(() => {}) : 2));
    const [one, two] = [new AbortController(), new AbortController()];
    const readers = [one, two].map(({ signal }) => reason(cacheme.get(new Watched(), { signal })));
    await settled();
    one.abort();
    expect(signals[0]?.aborted).toBe(false);
    two.abort();
    expect(signals[0]?.aborted).toBe(true);
    await Promise.all(readers);
    expect(await cacheme.get(new Watched())).toBe(2);
  });

  it("does not load for readers that have all left before", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly }, (id) => id);
    const leaving = new AbortController();
    const left = reason(cacheme.get(new Counting(1), { signal: leaving.signal }));
    leaving.abort();
    await left;
    await settled();
    expect(loads).toEqual([]);
    expect(await reason(cacheme.get(new Counting(2), { signal: leaving.signal }))).toBe(
      leaving.signal.reason,
    );
  });

  it("puts one listener on a signal, however many readers use it", async () => {
    const { cacheme } = await space();
    const { loading, Counting } = loadingNode<number>({ caches: localOnly });
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const reads = Array.from({ length: 30 }, (_, id) => cacheme.get(new Counting(id), { signal }));
    expect(listeners).toBe(1);
    loading.resolve(1);
    await Promise.all(reads);
    expect(listeners).toBe(0);
  });

  it("refuses an invalid signal before anything begins", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly }, () => Promise.reject(new Error("boom")));
    const error = await reason(cacheme.get(new Counting(1), { signal: {} as AbortSignal }));
    expect(error).toMatchObject({ code: "CACHEME_INVALID_OPTION", node: "counting", key: "1" });
    const noLoad = { load: 5 } as never;
    expect(await reason(cacheme.get(new Counting(1), noLoad))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
    const loadItself = (() => 5) as never; // The form of the Python library.
    expect(await reason(cacheme.get(new Counting(1), loadItself))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
    await settled();
    expect(loads).toEqual([]);
  });
});

describe("loads that read other nodes", () => {
  /** Makes nodes that read the nodes in `edges`, and answer with all names below them. */
  function graphNode(edges: Record<string, readonly string[]>, meta: NodeMeta = {}) {
    let read: (node: Node<string[]>) => Promise<string[]> = () => Promise.resolve([]);
    class Graph extends Node<string[]> {
      static override meta: NodeMeta = { name: "graph", caches: localOnly, ...meta };
      constructor(readonly id: string) {
        super();
      }
      key() {
        return this.id;
      }
      override async load(): Promise<string[]> {
        await Promise.resolve();
        const below = await Promise.all((edges[this.id] ?? []).map((id) => read(new Graph(id))));
        return [this.id, ...below.flat()];
      }
    }
    return { Graph, readWith: (get: typeof read) => (read = get) };
  }

  it.each([
    ["itself", { a: ["a"] }, ["graph:a", "graph:a"]],
    ["another that waits for it", { a: ["b"], b: ["a"] }, ["graph:b", "graph:a", "graph:b"]],
    ["a longer way round", { a: ["b"], b: ["c"], c: ["a"] }, ["graph:c", "graph:a", "graph:b", "graph:c"]],
  ])("rejects a load that waits for %s, and shows the cycle", async (_, edges, cycle) => {
    const { cacheme } = await space();
    const { Graph, readWith } = graphNode(edges);
    readWith((node) => cacheme.get(node));
    const error = await reason(cacheme.get(new Graph("a")));
    expect(error).toBeInstanceOf(LoadCycleError);
    expect(error).toMatchObject({
      code: "CACHEME_LOAD_CYCLE",
      cycle,
      message: expect.stringContaining(cycle.join(" → ")),
    });
  });

  it("finds a cycle that two readers close from both ends at once", async () => {
    const { cacheme } = await space();
    const { Graph, readWith } = graphNode({ a: ["b"], b: ["a"] });
    readWith((node) => cacheme.get(node));
    const outcomes = await cacheme.getAllSettled([new Graph("a"), new Graph("b")]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "CACHEME_LOAD_CYCLE" } });
    }
  });

  it("finds a cycle through getAll, refresh and fresh reads, and through an invalidation of the key itself", async () => {
    const { cacheme } = await space();
    const { Graph, readWith } = graphNode({ a: ["b"], b: ["a"] });
    const ways: ((node: Node<string[]>) => Promise<string[]>)[] = [
      async (node) => (await cacheme.getAll([node]))[0],
      (node) => cacheme.refresh(node),
      (node) => cacheme.get(node, { fresh: true }),
      async (node) => {
        await cacheme.invalidate(node);
        return await cacheme.get(node);
      },
    ];
    for (const way of ways) {
      readWith(way);
      expect(await reason(cacheme.get(new Graph("a")))).toMatchObject({ code: "CACHEME_LOAD_CYCLE" });
    }
  });

  it("finds a cycle within one loadAll", async () => {
    const { cacheme } = await space();
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "bulk", caches: localOnly };
      static override loadAll: LoadAll<Bulk> = async (nodes) => {
        const other = await cacheme.get(new Bulk(nodes.length));
        return nodes.map(() => other);
      };
    }
    const error = await reason(cacheme.getAll([new Bulk(1), new Bulk(2)]));
    expect(error).toMatchObject({
      code: "CACHEME_LOAD_CYCLE",
      cycle: ["bulk:2 (loaded with 1 more)", "bulk:2 (loaded with 1 more)"],
    });
  });

  it("does not take shared dependencies for a cycle", async () => {
    const { cacheme } = await space();
    const { Graph, readWith } = graphNode({ a: ["b", "c"], b: ["d"], c: ["d", "b"] });
    readWith((node) => cacheme.get(node));
    expect(await cacheme.get(new Graph("a"))).toEqual(["a", "b", "d", "c", "d", "b", "d"]);
    expect(cacheme.stats(Graph).loadCount).toBe(4);
  });

  it("does not take a read after the load for a cycle", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: [] }, (id) => id);
    let again: Promise<number> | undefined;
    const first = await cacheme.get(new Counting(1), {
      load: () => {
        setImmediate(() => (again = cacheme.get(new Counting(1))));
        return 7;
      },
    });
    await settled();
    expect([first, await again]).toEqual([7, 1]);
  });

  it("never makes a nested load wait for a slot that its parent holds", async () => {
    const { cacheme } = await space();
    const chain = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`${index}`, [`${index + 1}`]]),
    );
    const { Graph, readWith } = graphNode(chain, { concurrency: 1 });
    readWith((node) => cacheme.get(node));
    expect(await cacheme.get(new Graph("0"))).toHaveLength(21);
  });

  it("lets a load out of the line when another load waits for it", async () => {
    const { cacheme } = await space();
    const { Graph, readWith } = graphNode({ a: ["b"], b: [] }, { concurrency: 1 });
    readWith((node) => cacheme.get(node));
    // The test reads both. Node a has the only slot and waits for b, which waits for the slot.
    expect(await cacheme.getAll([new Graph("a"), new Graph("b")])).toEqual([["a", "b"], ["b"]]);
  });

  it("runs each load in the async context of the reader that opened it", async () => {
    const { AsyncLocalStorage } = await import("node:async_hooks");
    const { cacheme } = await space();
    const user = new AsyncLocalStorage<string>();
    const { Counting } = countingNode({ caches: localOnly }, async () => user.getStore());
    const readers = ["ada", "grace"].map((name, id) => user.run(name, () => cacheme.get(new Counting(id))));
    expect(await Promise.all(readers)).toEqual(["ada", "grace"]);
  });

  it("says that a node in a cycle was loaded with others, for which it may wait", async () => {
    const { cacheme } = await space();
    class Bulk extends Node<number> {
      static override meta: NodeMeta = { name: "bulk", caches: localOnly };
      static override loadAll: LoadAll<Bulk> = async (nodes) => {
        const single = await cacheme.get(new Single());
        return nodes.map(() => single);
      };
      constructor(readonly id: string) {
        super();
      }
      key() {
        return this.id;
      }
    }
    class Single extends Node<number> {
      static override meta: NodeMeta = { name: "single", caches: localOnly };
      key() {
        return "s";
      }
      override load(): Promise<number> {
        return cacheme.get(new Bulk("b"));
      }
    }
    const error = await reason(cacheme.getAll([new Bulk("a"), new Bulk("b")]));
    expect(error).toMatchObject({ cycle: ["single:s", "bulk:b (loaded with 1 more)", "single:s"] });
  });
});
