import { afterEach, describe, expect, it, vi } from "vitest";
import {
  Cacheme,
  CachemeError,
  clear,
  defineNode,
  get,
  getAll,
  getSync,
  invalidate,
  type LoadContext,
  memoize,
  memoizeSync,
  memory,
  Node,
  type NodeMeta,
  nodes,
  nullStorage,
  peek,
  peekLocal,
  provide,
  registerStorage,
  reset,
  StorageError,
  set,
  storages,
} from "../src/index.js";
import { deferred, settled } from "./support/deferred.js";
import { loadingNode } from "./support/loading-nodes.js";
import { reason, thrownBy } from "./support/reason.js";
import { SimulatedRemote } from "./support/simulated-remote.js";
import { countingNode, localOnly, remoteOnly, space, twoTiers } from "./support/space.js";
import { VirtualClock } from "./support/virtual-clock.js";

afterEach(() => reset());

const inner = defineNode({ name: "inner", key: () => "k", load: () => "loaded" });

/** Makes a node whose load reads by the module's functions, or by its context. */
const outer = (name: string, load: (context: LoadContext) => unknown) =>
  defineNode({ name, key: () => "k", load: (_, context) => load(context) })();

describe("the module's functions inside a load", () => {
  it("work on the space of that load", async () => {
    const c = new Cacheme();
    await set(inner(), "of the default space");
    await c.set(inner(), "of c");
    expect(await c.get(outer("reads", () => get(inner())))).toBe("of c");
    expect(await c.get(outer("reads-all", () => getAll([inner()])))).toEqual(["of c"]);
    expect(await c.get(outer("peeks", async () => (await peek(inner()))?.value))).toBe("of c");
    expect(await c.get(outer("peeks-locally", () => peekLocal(inner())?.value))).toBe("of c");
    expect(await c.get(outer("reads-late", () => settled().then(() => getSync(inner()))))).toBe("of c");
    await c.get(outer("invalidates", () => invalidate(inner())));
    expect([c.peekLocal(inner()), peekLocal(inner())?.value]).toEqual([undefined, "of the default space"]);
    expect(await get(outer("reads", () => get(inner())))).toBe("of the default space");
  });

  it("work on the space of a synchronous load, even within another one", async () => {
    const [c, d] = [new Cacheme(), new Cacheme()];
    for (const [owner, value] of [
      [c, "c"],
      [d, "d"],
    ] as const) {
      await owner.set(inner(), value);
    }
    await set(inner(), "default");
    const reads = (name: string, load: () => unknown) =>
      defineNode({ name, key: () => "k", load: () => [load()].flat(2) })();
    const nested = reads("nested", () => [
      getSync(inner()),
      d.getSync(reads("deeper", () => getSync(inner()))),
      getSync(inner()),
    ]);
    expect(c.getSync(nested)).toEqual(["c", "d", "c"]);
    expect(getSync(inner())).toBe("default");
    const failing = reads("failing", () => {
      throw new Error("no");
    });
    expect(thrownBy(() => c.getSync(failing))).toMatchObject({ message: "no" });
    expect(getSync(inner())).toBe("default");
  });

  it("return to the default space when the load has ended", async () => {
    const c = new Cacheme();
    await set(inner(), "default");
    await c.set(inner(), "of c");
    const [go, still] = [deferred<void>(), deferred<unknown>()];
    const busy = new Cacheme();
    const other = busy.get(outer("busy", () => still.promise));
    let later: Promise<unknown> | undefined;
    await c.get(
      outer("ends", () => {
        later = go.promise.then(() => get(inner()));
        return 1;
      }),
    );
    go.resolve();
    expect(await later).toBe("default");
    still.resolve(0);
    await other;
  });

  it("exist in the context, too", async () => {
    const c = new Cacheme();
    await c.set(inner(), "of c");
    const value = await c.get(
      outer("destructures", async ({ get, getAll, peek }) => [
        await get(inner()),
        await getAll([inner(), inner()]),
        (await peek(inner()))?.value,
      ]),
    );
    expect(value).toEqual(["of c", ["of c", "of c"], "of c"]);
    const bulk = defineNode({
      name: "bulk",
      key: (id: number) => `${id}`,
      loadAll: async (ids: readonly number[], { get }) => {
        const value = await get(inner());
        return ids.map((id) => `${value} ${id}`);
      },
    });
    expect(await c.getAll([bulk(1), bulk(2)])).toEqual(["of c 1", "of c 2"]);
    const sync = defineNode({
      name: "sync",
      key: () => "k",
      load: (_, { get }) => ({ reading: get(inner()) }),
    });
    expect(await c.getSync(sync()).reading).toBe("of c");
  });

  it("work for functions that the module memoized", async () => {
    const c = new Cacheme();
    const cell = defineNode({ name: "cell", key: (id: number) => `${id}`, caches: undefined });
    let calls = 0;
    const find = memoize(
      async (_: number) => ++calls,
      (id) => cell(id),
    );
    const findSync = memoizeSync(
      (_: number) => ++calls,
      (id) => cell(id),
    );
    expect(await find(1)).toBe(1);
    expect(await c.get(outer("finds", () => find(1)))).toBe(2);
    expect(await c.get(outer("finds-synchronously", () => findSync(1)))).toBe(2);
    expect(await find(1)).toBe(1);
    await c.get(outer("forgets", () => find.invalidate(1)));
    expect([c.peekLocal(cell(1)), peekLocal(cell(1))?.value]).toEqual([undefined, 1]);
  });
});

describe("provide", () => {
  class Repository {
    constructor(readonly name: string) {}
  }
  const user = defineNode({
    name: "user",
    key: (id: number) => `${id}`,
    load: (id, { inject }) => `${inject(Repository).name} ${id}`,
  });

  it("gives each space's loads the things of that space", async () => {
    const [one, two] = [new Cacheme(), new Cacheme()];
    one.provide(Repository, new Repository("one"));
    two.provide(Repository, new Repository("two"));
    provide(Repository, new Repository("default"));
    expect([await one.get(user(1)), await two.get(user(1)), await get(user(1))]).toEqual([
      "one 1",
      "two 1",
      "default 1",
    ]);
    two.provide(Repository, new Repository("other"));
    expect(await two.refresh(user(1))).toBe("other 1");
  });

  it("takes a symbol, and any value", async () => {
    const limit: symbol & { "~provides"?: number | undefined } = Symbol("limit");
    provide(limit, undefined);
    expect(await get(outer("limited", ({ inject }) => [inject(limit)]))).toEqual([undefined]);
  });

  it("names the missing token", async () => {
    const error = await reason(get(user(1)));
    expect(error).toMatchObject({
      code: "CACHEME_NOT_PROVIDED",
      message: expect.stringMatching(/inject\(Repository\).*Call provide\(Repository, …\)/),
    });
    expect(thrownBy(() => provide("text" as never, 1))).toMatchObject({ code: "CACHEME_INVALID_OPTION" });
  });
});

describe("reset", () => {
  it("makes the default space as new", async () => {
    const remote = new SimulatedRemote(new VirtualClock());
    await registerStorage("remote", remote);
    await registerStorage("local", memory());
    const { Counting, loads } = countingNode({ caches: twoTiers }, (id) => id);
    await get(new Counting(1));
    expect(nodes()).toEqual([{ name: "counting", nodeClass: Counting }]);
    await reset();
    expect(remote.closed).toBe(1);
    expect([nodes(), storages()]).toEqual([[], []]);
    expect(await reason(get(new Counting(1)))).toMatchObject({ code: "CACHEME_UNKNOWN_STORAGE" });
    await registerStorage("local", memory());
    await registerStorage("remote", nullStorage());
    expect(await get(new Counting(1))).toBe(1);
    expect(loads).toEqual([1, 1]);
  });

  it("keeps nothing of a load that was under way", async () => {
    const loading = deferred<string>();
    const slow = defineNode({ name: "slow", key: () => "k", load: () => loading.promise });
    const read = get(slow());
    await settled();
    const done = reset();
    loading.resolve("old");
    expect(await read).toBe("old");
    await done;
    expect(peekLocal(slow())).toBeUndefined();
  });
});

describe("clear", () => {
  async function filled() {
    const opened = await space();
    await opened.cacheme.registerStorage("second", memory({ maxSize: 7 }));
    const users = countingNode({ name: "user", caches: localOnly }, (id) => id);
    const posts = countingNode({ name: "post", caches: twoTiers }, (id) => id);
    const rows = countingNode({ name: "row", caches: [{ storage: "second" }] }, (id) => id);
    const all = [new users.Counting(1), new posts.Counting(1), new rows.Counting(1)];
    await opened.cacheme.getAll(all);
    return { ...opened, users, all, held: () => all.map((node) => opened.cacheme.peekLocal(node)?.value) };
  }

  it("drops the local tiers' entries of a class", async () => {
    const { cacheme, users, held } = await filled();
    await cacheme.clear(users.Counting);
    expect(held()).toEqual([undefined, 1, 1]);
  });

  it("drops a storage's entries of every class", async () => {
    const { cacheme, held } = await filled();
    await cacheme.clear("local");
    expect(held()).toEqual([undefined, undefined, 1]);
  });

  it("drops the entries of all local tiers of the space, and keeps the remote ones", async () => {
    const { cacheme, all, remote, held } = await filled();
    await cacheme.clear();
    expect(held()).toEqual([undefined, undefined, undefined]);
    expect(remote.records.size).toBe(1);
    expect(await cacheme.get(all[1]!)).toBe(1);
  });

  it("stores no values of loads under way", async () => {
    const { cacheme } = await space();
    const { loading, Counting } = loadingNode<number>({ caches: localOnly });
    const read = cacheme.get(new Counting(1));
    await settled();
    await cacheme.clear(Counting);
    loading.resolve(5);
    expect(await read).toBe(5);
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
  });

  it("leaves other spaces on the same storage alone", async () => {
    const shared = memory();
    const [one, two] = [new Cacheme(), new Cacheme()];
    for (const each of [one, two]) {
      await each.registerStorage("local", shared);
      await each.set(inner2(), 1);
    }
    await one.clear();
    expect([one.peekLocal(inner2()), two.peekLocal(inner2())?.value]).toEqual([undefined, 1]);
  });

  it("refuses an unknown storage or class, and does nothing for a class that was never used", async () => {
    const { cacheme } = await space();
    expect(await reason(cacheme.clear("nowhere"))).toMatchObject({
      code: "CACHEME_UNKNOWN_STORAGE",
      message: expect.stringMatching(
        /^Storage "nowhere" is not registered\. Registered storages: "local", "remote"/,
      ),
    });
    expect(await reason(cacheme.clear(Date as never))).toMatchObject({ code: "CACHEME_INVALID_NODE" });
    await clear(countingNode({}, (id) => id).Counting);
  });
});

const inner2 = defineNode({ name: "inner-2", caches: localOnly, key: () => "k", load: () => 0 });

describe("registering a name again", () => {
  it("is no error for the same address or the same kind of storage, even while it is being connected", async () => {
    const cacheme = new Cacheme();
    await Promise.all([
      cacheme.registerStorage("local", "memory:?maxSize=5"),
      cacheme.registerStorage("local", "memory:?maxSize=5"),
    ]);
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    await cacheme.get(new Counting(1));
    await cacheme.registerStorage("local", "memory:?maxSize=5");
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe(1);
    await cacheme.registerStorage("other", memory());
    await cacheme.registerStorage("other", memory());
    expect(cacheme.storages().map(({ name }) => name)).toEqual(["local", "other"]);
  });

  it("keeps the first of two remote storages at one address, and checks the second call's needs", async () => {
    const clock = new VirtualClock();
    const [first, second] = [new SimulatedRemote(clock), new SimulatedRemote(clock)];
    const cacheme = new Cacheme({ clock });
    await Promise.all([cacheme.registerStorage("remote", first), cacheme.registerStorage("remote", second)]);
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    await cacheme.get(new Counting(1));
    expect([first.records.size, second.records.size]).toEqual([1, 0]);
    expect(await reason(cacheme.registerStorage("remote", second, { needs: ["scan"] }))).toMatchObject({
      code: "CACHEME_NOT_OFFERED",
    });
  });

  it("is refused for another storage, with the way to replace it", async () => {
    const { cacheme } = await space();
    expect(await reason(cacheme.registerStorage("local", nullStorage()))).toMatchObject({
      code: "CACHEME_DUPLICATE_STORAGE",
      storage: "local",
      message: expect.stringMatching(/as memory \(10,000 entries\)\..*replace: true/),
    });
    await cacheme.registerStorage("secret", "memory:?maxSize=5");
    const error = await reason(cacheme.registerStorage("secret", "memory:?maxSize=6"));
    expect(error).toMatchObject({ message: expect.stringMatching(/from another address/) });
    expect(String(error)).not.toContain("maxSize");
  });

  it("replaces the storage if the options say so: reads and writes go to the new one, the old one is closed", async () => {
    const clock = new VirtualClock();
    const { cacheme, remote: old } = await space();
    const { Counting, loads } = countingNode({ caches: twoTiers }, (id) => id);
    await cacheme.get(new Counting(1));
    const next = new SimulatedRemote(clock);
    await cacheme.registerStorage("remote", next, { replace: true });
    await settled();
    expect(old.closed).toBe(1);
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
    await cacheme.get(new Counting(1));
    expect([next.records.size, loads.length]).toEqual([1, 2]);
    await cacheme.registerStorage("remote", nullStorage(), { replace: true });
    await cacheme.get(new Counting(2));
    expect(next.closed).toBe(1);
    expect(cacheme.storages().map(({ name, label }) => [name, label])).toContainEqual(["remote", "null"]);
  });

  it("does not lose an invalidation across a replacement", async () => {
    const { cacheme } = await space();
    const loading = deferred<string>();
    const { Counting } = countingNode({ caches: localOnly }, (_, load) =>
      load === 1 ? loading.promise : "new",
    );
    const read = cacheme.get(new Counting(1));
    await settled();
    await cacheme.registerStorage("local", memory({ maxSize: 3 }), { replace: true });
    await cacheme.invalidate(new Counting(1));
    loading.resolve("old");
    expect(await read).toBe("old");
    expect(await cacheme.get(new Counting(1))).toBe("new");
  });

  it("keeps the old storage if the new one cannot be connected", async () => {
    const { cacheme, remote: old } = await space();
    const broken = new SimulatedRemote(new VirtualClock());
    vi.spyOn(broken, "connect").mockRejectedValue(new Error("no"));
    expect(await reason(cacheme.registerStorage("remote", broken, { replace: true }))).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
    });
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    await cacheme.get(new Counting(1));
    expect([old.records.size, old.closed]).toEqual([1, 0]);
  });
});

describe("two copies of the package", () => {
  it("share the default space, its storages, entries and flights, and the space of a load", async () => {
    await registerStorage("local", memory());
    const copy = await anotherCopy();
    expect(copy.get).not.toBe(get);
    const { Counting, loads } = countingNode({ caches: localOnly }, (id) => id);
    await Promise.all([get(new Counting(1)), copy.get(new Counting(1))]);
    expect(loads).toEqual([1]);
    expect(copy.storages().map(({ name }) => name)).toEqual(["local"]);
    const c = new Cacheme();
    await c.set(inner(), "of c");
    expect(await c.get(outer("reads-by-the-copy", () => copy.get(inner())))).toBe("of c");
  });

  it("recognize each other's errors", async () => {
    const copy = await anotherCopy();
    const theirs = new copy.StorageError("CACHEME_STORAGE_FAILED", "no");
    expect(theirs instanceof CachemeError).toBe(true);
    expect(theirs instanceof StorageError).toBe(true);
    expect(new copy.CachemeError("CACHEME_CLOSED", "no") instanceof StorageError).toBe(false);
    expect(new copy.KeyError("CACHEME_INVALID_KEY", "no") instanceof StorageError).toBe(false);
    class Derived extends StorageError {}
    expect(theirs instanceof Derived).toBe(false);
    expect(new Derived("CACHEME_STORAGE_FAILED", "no") instanceof copy.StorageError).toBe(true);
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    for (const other of [undefined, null, 1, {}, new Error("no")])
      expect(other instanceof CachemeError).toBe(false);
  });

  async function anotherCopy(): Promise<typeof import("../src/index.js")> {
    vi.resetModules();
    return import("../src/index.js");
  }
});

describe("many nodes", () => {
  it("are invalidated and refreshed as a list or as arguments", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly }, (id) => id);
    const both = [new Counting(1), new Counting(2)];
    await cacheme.getAll(both);
    expect(await cacheme.refresh(both)).toEqual([1, 2]);
    expect(loads).toEqual([1, 2, 1, 2]);
    await cacheme.invalidate(both);
    expect(await cacheme.peekAll(both)).toEqual([undefined, undefined]);
    await cacheme.invalidate([]);
  });

  it("are invalidated as a list that is longer than a call may have arguments", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    // The list's length matters, and a tenth of the nodes is made quickly.
    const nodes = Array.from({ length: 13_000 }, (_, id) => new Counting(id));
    const many = new Array(10).fill(nodes).flat();
    expect(() => Math.max(...many.map(() => 0))).toThrow(RangeError);
    await cacheme.set(nodes.at(-1)!, 5);
    await cacheme.invalidate(many);
    expect(cacheme.peekLocal(nodes.at(-1)!)).toBeUndefined();
  });

  it("are peeked at in one round trip", async () => {
    const { cacheme, remote } = await space();
    const { Counting, loads } = countingNode({ caches: remoteOnly }, (id) => id);
    await cacheme.getAll([new Counting(1), new Counting(2)]);
    const before = remote.calls.length;
    const entries = await cacheme.peekAll([new Counting(1), new Counting(3), new Counting(2)]);
    expect(entries.map((entry) => entry?.value)).toEqual([1, undefined, 2]);
    expect(remote.calls.length - before).toBe(1);
    expect(loads).toEqual([1, 2]);
    expect(await reason(cacheme.peekAll(new Counting(1) as never))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
  });

  it("are refused whole if one of them is not a node", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    await cacheme.get(new Counting(1));
    for (const call of [cacheme.invalidate([new Counting(1), 5 as never]), cacheme.refresh([5 as never])]) {
      expect(await reason(call)).toMatchObject({ code: "CACHEME_INVALID_NODE" });
    }
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe(1);
  });
});

describe("a key that is an obvious mistake", () => {
  it.each(["[object Object]", "[object Promise]", "undefined", "null", "NaN"])(
    "is refused: %s",
    async (key) => {
      const { cacheme } = await space();
      class Mistaken extends Node<number> {
        static override meta: NodeMeta = { name: "mistaken", caches: twoTiers };
        key() {
          return key;
        }
        override load() {
          return 1;
        }
      }
      for (const call of [
        cacheme.get(new Mistaken()),
        cacheme.set(new Mistaken(), 1),
        cacheme.invalidate(new Mistaken()),
      ]) {
        expect(await reason(call)).toMatchObject({
          code: "CACHEME_INVALID_KEY",
          node: "mistaken",
          message: expect.stringMatching(/made of an object or of a value that is missing/),
        });
      }
    },
  );

  it("is accepted as a part of a longer key", async () => {
    const { cacheme } = await space();
    const word = defineNode({
      name: "word",
      caches: localOnly,
      key: (text: string) => text,
      load: (text) => text,
    });
    for (const text of ["word:undefined", "null island", "[object", "NaNo"]) {
      expect(await cacheme.get(word(text))).toBe(text);
    }
  });
});
