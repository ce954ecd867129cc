import { describe, expect, it } from "vitest";
import {
  Cacheme,
  defineNode,
  type LoadAll,
  memory,
  type Node,
  type NodeMeta,
  type PrefetchOptions,
  perRequest,
} from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { LeasedRemote } from "../support/leased-remote.js";
import { reason, thrownBy } from "../support/reason.js";
import { localOnly, NumberedNode, remoteOnly, space, taggedSpace, twoTiers } from "../support/space.js";
import { expectNothingUnhandled } from "../support/unhandled.js";
import { VirtualClock } from "../support/virtual-clock.js";

expectNothingUnhandled();

/** Makes a class whose nodes name others by their numbers, and whose loads are recorded. */
function linked(links: (id: number) => readonly number[], meta: NodeMeta = {}) {
  const calls: number[][] = [];
  class Linked extends NumberedNode<string> {
    static override meta: NodeMeta = { name: "linked", caches: localOnly, ...meta };
    static override loadAll: LoadAll<Linked> = (nodes) => {
      calls.push(nodes.map(({ id }) => id));
      return nodes.map(({ id }) => `value ${id}`);
    };
    override related() {
      return links(this.id).map((id) => new Linked(id));
    }
  }
  return { Linked, calls };
}

const withOptions = (prefetch: PrefetchOptions | false): NodeMeta => ({ prefetch });

/** A node whose load waits for a gate, and a node that is related to it. */
function slowNeighbour(caches: NodeMeta["caches"]) {
  const gate = deferred<string>();
  const slow = defineNode({
    name: "slow",
    key: (id: number) => `${id}`,
    load: () => gate.promise,
    caches,
  });
  const first = defineNode({
    name: "first",
    key: () => "1",
    load: () => 1,
    related: () => [slow(1)],
    caches: localOnly,
  });
  return { gate, slow, first };
}

describe("related nodes of a class that keeps nothing", () => {
  it.each([[[]], [[perRequest()]]])("are not loaded in advance: %j", async (caches) => {
    const { cacheme } = await space();
    const { Linked: Other, calls } = linked(() => [], { name: "other", caches });
    const { Linked } = linked(() => []);
    cacheme.relate("linked:*", () => [new Other(2)]);
    await cacheme.requestScope(async () => {
      await cacheme.get(new Linked(1));
      await settled();
      expect(await cacheme.get(new Other(2))).toBe("value 2");
    });
    expect(calls).toEqual([[2]]);
  });
});

describe.each(Object.entries({ localOnly, remoteOnly, twoTiers }))("related nodes, %s", (_, caches) => {
  it("are loaded together after a miss, and then found", async () => {
    const { cacheme } = await space();
    const { Linked, calls } = linked((id) => (id === 1 ? [2, 3, 2] : []), { caches });
    expect(await cacheme.get(new Linked(1))).toBe("value 1");
    await settled();
    expect(calls).toEqual([[1], [2, 3]]);
    expect(await cacheme.getAll([new Linked(2), new Linked(3)])).toEqual(["value 2", "value 3"]);
    expect(calls.length).toBe(2);
  });

  it("count as no reads, and show how many were of use", async () => {
    const { cacheme, clock } = await space();
    const { Linked } = linked((id) => (id === 1 ? [2, 3, 4, 5] : []), { caches });
    const events: unknown[] = [];
    cacheme.on("miss", ({ key }) => events.push(`miss ${key}`));
    cacheme.on("hit", ({ key }) => events.push(`hit ${key}`));
    await cacheme.get(new Linked(1));
    await settled();
    expect(cacheme.stats(Linked)).toMatchObject({ requestCount: 1, missCount: 1, prefetchCount: 4 });
    await cacheme.get(new Linked(2));
    await cacheme.getAll([new Linked(2), new Linked(3)]);
    expect(events).toEqual(["miss 1", "hit 2", "hit 2", "hit 3"]);
    clock.advance(600_001);
    await cacheme.get(new Linked(4)); // Too late.
    expect(cacheme.stats(Linked)).toMatchObject({
      requestCount: 5,
      hitCount: 3,
      prefetchCount: 4,
      prefetchHitCount: 2,
      prefetchPrecision: 0.5,
    });
  });
});

describe("related nodes", () => {
  it("get the loaded value, and may be of another class, in the scope of the reader", async () => {
    const { cacheme } = await taggedSpace();
    cacheme.defineScopes("org");
    const cart = defineNode({
      name: "cart",
      key: (id: string) => id,
      scopedTo: "org",
      load: (id) => `cart ${id}`,
      caches: localOnly,
    });
    const user = defineNode({
      name: "user",
      key: (id: number) => `${id}`,
      load: (id) => ({ cart: `c${id}` }),
      related: (_, value) => [cart(value.cart)],
      caches: localOnly,
    });
    await cacheme.withScope({ org: 7 }, () => cacheme.get(user(1)));
    await settled();
    expect(cacheme.withScope({ org: 7 }, () => cacheme.peekLocal(cart("c1"))?.value)).toBe("cart c1");
  });

  it("are not loaded after a hit, a refresh, a warm-up, or with prefetch: false", async () => {
    const { cacheme } = await space();
    const { Linked, calls } = linked((id) => (id < 10 ? [id + 10] : []));
    await cacheme.set(new Linked(1), "set");
    await cacheme.get(new Linked(1));
    await cacheme.refresh(new Linked(1));
    await cacheme.warm([new Linked(2)]);
    await settled();
    expect(calls.flat()).toEqual([1, 2]);
    const off = linked(() => [2], { name: "off", prefetch: false });
    await cacheme.get(new off.Linked(1));
    await settled();
    expect(off.calls).toEqual([[1]]);
  });

  it("are loaded after getSync", async () => {
    const { cacheme } = await space();
    const loads: number[] = [];
    const page = defineNode({
      name: "page",
      key: (id: number) => `${id}`,
      load: (id) => loads.push(id),
      related: (id): Node[] => (id === 1 ? [page(2)] : []),
      caches: localOnly,
    });
    expect(cacheme.getSync(page(1))).toBe(1);
    await settled();
    expect(loads).toEqual([1, 2]);
  });

  it.each([
    [1, [[1], [2]]],
    [2, [[1], [2], [3]]],
    [3, [[1], [2], [3], [4]]],
  ])("are loaded to the depth %i", async (depth, expected) => {
    const { cacheme } = await space();
    const { Linked, calls } = linked((id) => [id + 1], withOptions({ depth }));
    await cacheme.get(new Linked(1));
    await settled();
    expect(calls).toEqual(expected);
  });

  it("end at circles, even if nothing is stored", async () => {
    const { cacheme } = await space();
    const { Linked, calls } = linked((id) => [(id % 3) + 1, id], {
      ...withOptions({ depth: 10 }),
      shouldCache: () => false,
    });
    await cacheme.get(new Linked(1));
    await settled();
    expect(calls).toEqual([[1], [2], [3]]);
    expect(cacheme.stats(Linked)).toMatchObject({ prefetchCount: 2, requestCount: 1 });
  });

  it("are at most the budget, for one miss and under way", async () => {
    const { cacheme } = await space();
    const gate = deferred();
    const loads: number[] = [];
    let running = 0;
    let most = 0;
    class Wide extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "wide", caches: localOnly, prefetch: { depth: 2, budget: 3 } };
      override async load() {
        loads.push(this.id);
        if (this.id < 100) return this.id;
        running += 1;
        most = Math.max(most, running);
        await gate.promise;
        running -= 1;
        return this.id;
      }
      override related() {
        return Array.from({ length: 10 }, (_, index) => new Wide(this.id * 100 + index));
      }
    }
    await cacheme.getAll([new Wide(1), new Wide(2)]);
    await settled();
    expect(loads).toEqual([1, 2, 100, 101, 102]);
    gate.resolve();
    await settled();
    expect(loads).toEqual([1, 2, 100, 101, 102]); // The first miss has spent its budget.
    expect(most).toBe(3);
    await cacheme.get(new Wide(3));
    await settled();
    expect(loads.length).toBe(9); // Nothing is under way any more.
  });

  it("are joined by a reader, at the cost of no further load", async () => {
    const { cacheme } = await space();
    const gate = deferred<string>();
    const loads: number[] = [];
    class Slow extends NumberedNode<string> {
      static override meta: NodeMeta = { name: "slow", caches: twoTiers };
      override load() {
        loads.push(this.id);
        return this.id === 1 ? "first" : gate.promise;
      }
      override related() {
        return this.id === 1 ? [new Slow(2)] : [];
      }
    }
    await cacheme.get(new Slow(1));
    const early = cacheme.get(new Slow(2));
    await settled();
    const abort = new AbortController();
    const leaving = cacheme.get(new Slow(2), { signal: abort.signal });
    const late = cacheme.get(new Slow(2));
    abort.abort();
    expect(await reason(leaving)).toBe(abort.signal.reason);
    gate.resolve("second");
    expect(await Promise.all([early, late])).toEqual(["second", "second"]);
    expect(loads).toEqual([1, 2]);
    // The first reader that joins the prefetch joins a read under way, too.
    expect(cacheme.stats(Slow)).toMatchObject({ prefetchCount: 1, prefetchHitCount: 1, coalescedCount: 3 });
  });

  it("go on loading when their only reader leaves", async () => {
    const { cacheme } = await space();
    const { gate, slow, first } = slowNeighbour(localOnly);
    await cacheme.get(first());
    await settled();
    const abort = new AbortController();
    const leaving = cacheme.get(slow(1), { signal: abort.signal });
    abort.abort();
    await reason(leaving);
    gate.resolve("value");
    await settled();
    expect(cacheme.peekLocal(slow(1))?.value).toBe("value");
  });

  it("are not stored if they are invalidated meanwhile", async () => {
    const { cacheme } = await space();
    const { gate, slow, first } = slowNeighbour(twoTiers);
    await cacheme.get(first());
    await settled();
    await cacheme.invalidate(slow(1));
    gate.resolve("old");
    await settled();
    expect(await cacheme.peek(slow(1))).toBeUndefined();
    await cacheme.get(slow(1));
    expect(cacheme.stats(slow)).toMatchObject({ prefetchCount: 1, prefetchHitCount: 0 });
  });

  it("are left to the process that holds their lease", async () => {
    const clock = new VirtualClock();
    const remote = new LeasedRemote(clock);
    const process = async () => {
      const cacheme = new Cacheme({ clock });
      await cacheme.registerStorage("local", memory());
      await cacheme.registerStorage("remote", remote);
      return cacheme;
    };
    const [mine, other] = [await process(), await process()];
    const gate = deferred<string>();
    const loads: number[] = [];
    class Leased extends NumberedNode<string> {
      static override meta: NodeMeta = { name: "leased", caches: twoTiers };
      override load() {
        loads.push(this.id);
        return this.id === 1 ? "first" : gate.promise;
      }
      override related() {
        return this.id === 1 ? [new Leased(2)] : [];
      }
    }
    const theirs = other.get(new Leased(2));
    await settled();
    await mine.get(new Leased(1));
    await settled();
    expect(loads).toEqual([2, 1]);
    gate.resolve("second");
    expect(await theirs).toBe("second");
    expect(mine.stats(Leased)).toMatchObject({ prefetchCount: 0 });
    expect(await mine.get(new Leased(2))).toBe("second");
    expect(loads).toEqual([2, 1]);
  });

  it("are handed to the host, until they have ended", async () => {
    const states: string[] = [];
    const cacheme = new Cacheme({
      background: (work) => {
        const place = states.push("running") - 1;
        void work.then(() => {
          states[place] = "done";
        });
      },
    });
    const gate = deferred<string>();
    const slow = defineNode({ name: "slow", key: (id: number) => `${id}`, load: () => gate.promise });
    const first = defineNode({ name: "first", key: () => "1", load: () => 1, related: () => [slow(1)] });
    await cacheme.get(first());
    await settled();
    expect(states).toEqual(["running"]);
    gate.resolve("value");
    await settled();
    expect(states).toEqual(["done"]);
  });

  it("never fail the reader; the event prefetchError reports them", async () => {
    const { cacheme } = await space();
    const errors: unknown[] = [];
    cacheme.on("prefetchError", ({ node, key, error }) => errors.push([node, key, (error as Error).message]));
    const failing = defineNode({
      name: "failing",
      key: (id: number) => `${id}`,
      load: (id): number => {
        throw new Error(`no ${id}`);
      },
    });
    const results: Record<number, () => unknown> = {
      1: () => [failing(1), failing(2)],
      2: () => {
        throw new Error("related failed");
      },
      3: () => "none",
      4: () => Promise.reject(new Error("asynchronous")),
      5: () => [undefined],
    };
    const first = defineNode({
      name: "first",
      key: (id: number) => `${id}`,
      load: (id) => id,
      related: (id) => results[id]?.() as Node[],
    });
    expect(await cacheme.getAll([1, 2, 3, 4, 5].map((id) => first(id)))).toEqual([1, 2, 3, 4, 5]);
    await settled();
    expect(errors).toHaveLength(6);
    expect(errors).toEqual(
      expect.arrayContaining([
        ["failing", "1", "no 1"],
        ["failing", "2", "no 2"],
        ["first", "2", "related failed"],
        ["first", "3", expect.stringContaining("list of related nodes")],
        ["first", "4", expect.stringContaining("list of related nodes")],
        ["first", "5", expect.stringContaining("node")],
      ]),
    );
    expect(cacheme.stats(failing)).toMatchObject({ prefetchCount: 0, requestCount: 0, loadFailureCount: 2 });
    expect(await reason(cacheme.get(failing(1)))).toMatchObject({ message: "no 1" });
  });

  it("share no loadAll with readers, and no error with a reader that has joined", async () => {
    const { cacheme } = await space();
    const calls: number[][] = [];
    const gate = deferred();
    class Item extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "item", caches: localOnly };
      static override loadAll: LoadAll<Item> = async (nodes) => {
        calls.push(nodes.map(({ id }) => id));
        if (nodes.length === 1) return nodes.map(({ id }) => id);
        await gate.promise;
        throw new Error("a ghost is among them");
      };
      override related() {
        return this.id === 1 ? [new Item(8), new Item(9)] : [];
      }
    }
    const errors: unknown[] = [];
    cacheme.on("prefetchError", ({ key }) => errors.push(key));
    expect(await cacheme.get(new Item(1))).toBe(1);
    expect(await cacheme.get(new Item(2))).toBe(2); // Asked in the tick of the prefetch.
    expect(calls).toEqual([[1], [2], [8, 9]]);
    const joined = cacheme.get(new Item(9));
    const within = cacheme.get(new Item(9), { maxAge: "1s" });
    gate.resolve();
    expect(await Promise.all([joined, within])).toEqual([9, 9]);
    expect(calls).toEqual([[1], [2], [8, 9], [9]]);
    expect(errors.toSorted()).toEqual(["8", "9"]);
    expect(cacheme.stats(Item)).toMatchObject({ requestCount: 4, missCount: 4, hitCount: 0 });
  });

  it("may not be a property of another kind", async () => {
    const { cacheme } = await space();
    const errors: unknown[] = [];
    cacheme.on("prefetchError", (event) => errors.push(event));
    const { Linked } = linked(() => []);
    const node = Object.assign(new Linked(1), { related: ["x"] as never });
    expect(await cacheme.get(node)).toBe("value 1");
    await settled();
    expect(errors).toEqual([]);
  });

  it("end quietly with the space", async () => {
    const { cacheme } = await space();
    const errors: unknown[] = [];
    cacheme.on("prefetchError", (event) => errors.push(event));
    const gate = deferred<number>();
    const next = defineNode({ name: "next", key: (id: number) => `${id}`, load: () => 1 });
    const first = defineNode({
      name: "first",
      key: () => "1",
      load: () => gate.promise,
      related: () => [next(1)],
    });
    const read = cacheme.get(first());
    await settled();
    const closing = cacheme.close();
    gate.resolve(1);
    expect(await read).toBe(1);
    await closing;
    expect(errors).toEqual([]);
  });
});

describe("a rule of relate", () => {
  it("loads the nodes that it names for a pattern, until it is removed", async () => {
    const { cacheme } = await space();
    const posts = defineNode({
      name: "posts",
      key: (id: number) => `${id}`,
      load: (id) => [id],
      caches: localOnly,
    });
    const user = defineNode({
      name: "user",
      key: (id: number) => `${id}`,
      load: (id) => ({ id }),
      caches: localOnly,
    });
    const seen: unknown[] = [];
    const stop = cacheme.relate("user:*", (read) => {
      seen.push([read.name, read.key, read.value]);
      return [posts(Number(read.key))];
    });
    cacheme.relate("team:*", () => [posts(99)]);
    await cacheme.get(user(1));
    await settled();
    expect(seen).toEqual([["user", "1", { id: 1 }]]);
    expect(cacheme.peekLocal(posts(1))?.value).toEqual([1]);
    expect(cacheme.peekLocal(posts(99))).toBeUndefined();
    stop();
    await cacheme.get(user(2));
    await settled();
    expect(cacheme.peekLocal(posts(2))).toBeUndefined();
  });

  it("is refused if it is none", async () => {
    const { cacheme } = await space();
    const invalid = { code: "CACHEME_INVALID_OPTION" };
    expect(thrownBy(() => cacheme.relate("", () => []))).toMatchObject(invalid);
    expect(thrownBy(() => cacheme.relate("user:*", [] as never))).toMatchObject(invalid);
  });
});

describe("the option prefetch", () => {
  it.each([
    { depth: 0 },
    { depth: 11 },
    { depth: 1.5 },
    { budget: 0 },
    { budget: "many" },
    { deep: 1 },
    "on",
    true,
    [],
    { learn: "yes" },
    { learn: { size: 0 } },
    { learn: { use: 1 } },
    { learn: { probability: 0 } },
    { learn: { probability: 1.1 } },
    { learn: { chance: 1 } },
  ])("refuses %j", async (prefetch) => {
    const { cacheme } = await space();
    const node = defineNode({ name: "x", key: () => "1", load: () => 1, prefetch: prefetch as never });
    expect(await reason(cacheme.get(node()))).toMatchObject({ code: "CACHEME_INVALID_META", node: "x" });
  });
});
