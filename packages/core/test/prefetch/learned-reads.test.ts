import { describe, expect, it } from "vitest";
import { type Cacheme, defineNode, type LearnOptions, type Node, perRequest } from "../../src/index.js";
import { settled } from "../support/deferred.js";
import { localOnly, remoteOnly, space } from "../support/space.js";
import { expectNothingUnhandled } from "../support/unhandled.js";

expectNothingUnhandled();

/** Makes a space, and a definition that learns, with its loads. */
async function learning(learn: boolean | LearnOptions = true, caches = localOnly) {
  const { cacheme, clock } = await space();
  const loads: string[] = [];
  const page = defineNode({
    name: "page",
    key: (path: string) => path,
    load: (path) => {
      loads.push(path);
      return path;
    },
    caches,
    prefetch: { learn },
  });
  const read = async (...paths: readonly string[]) => {
    for (const path of paths) await cacheme.get(page(path));
  };
  const after = (path: string) => shown(cacheme, page(path));
  return { cacheme, clock, loads, page, read, after };
}

function shown(cacheme: Cacheme, node: Node) {
  return Object.fromEntries(
    cacheme.suggestions(node).map(({ node, probability }) => [node.key(), probability]),
  );
}

describe("suggestions", () => {
  it("are the nodes that were read after a node, the likeliest first", async () => {
    const { after, read, cacheme, page } = await learning();
    await read("home", "cart", "home", "news", "home", "cart", "home", "cart");
    expect(after("home")).toEqual({ cart: 0.75, news: 0.25 });
    expect(cacheme.suggestions(page("home")).map(({ node }) => node.key())).toEqual(["cart", "news"]);
    expect(after("cart")).toEqual({ home: 1 });
    expect(after("unknown")).toEqual({});
  });

  it("count hits and reads by getSync, and no repetition of the same node", async () => {
    const { after, cacheme, page } = await learning();
    for (let round = 0; round < 2; round++) {
      cacheme.getSync(page("home"));
      await cacheme.get(page("home"));
      cacheme.getSync(page("cart"));
    }
    expect(after("home")).toEqual({ cart: 1 });
    expect(after("cart")).toEqual({ home: 1 });
  });

  it("take the nodes of a list as what comes after the read before it", async () => {
    const { after, cacheme, page, read } = await learning();
    await read("home");
    await cacheme.getAll([page("a"), page("b"), page("c")]);
    await read("end");
    expect(after("home")).toEqual({ a: 1 / 3, b: 1 / 3, c: 1 / 3 });
    expect(after("a")).toEqual({});
    expect(after("c")).toEqual({ end: 1 });
  });

  it("take a list that begins a request as what comes after nothing", async () => {
    const { after, cacheme, page, read } = await learning();
    await cacheme.requestScope(async () => {
      await cacheme.getAll([page("a"), page("b")]);
      await read("end");
    });
    expect(after("a")).toEqual({});
    expect(after("b")).toEqual({ end: 1 });
  });

  it("keep the sequences of concurrent requests apart", async () => {
    const { after, cacheme, page } = await learning();
    const request = (first: string, second: string) =>
      cacheme.requestScope(async () => {
        await cacheme.get(page(first));
        await settled();
        await cacheme.get(page(second));
      });
    await Promise.all([request("a", "b"), request("c", "d")]);
    expect(after("a")).toEqual({ b: 1 });
    expect(after("c")).toEqual({ d: 1 });
    expect(after("b")).toEqual({});
    expect(after("d")).toEqual({});
  });

  it("do not count what a load reads, or a refresh", async () => {
    const { after, cacheme, page, read } = await learning();
    const whole = defineNode({
      name: "whole",
      key: (id: string) => id,
      load: (_, { get }) => get(page("part")),
      caches: [],
    });
    await read("home");
    await cacheme.get(whole("1"));
    await cacheme.refresh(page("other"));
    await read("cart");
    expect(after("home")).toEqual({ cart: 1 });
  });

  it("follow what changes, because newer reads count more", async () => {
    const { after, read } = await learning();
    for (let round = 0; round < 64; round++) await read("home", "old");
    for (let round = 0; round < 64; round++) await read("home", "new");
    const { old = 0, new: newer = 0 } = after("home");
    expect(newer).toBeGreaterThan(0.6);
    expect(old + newer).toBeCloseTo(1);
    for (let round = 0; round < 300; round++) await read("home", "new");
    expect(after("home")).toEqual({ new: expect.closeTo(1, 2) });
  });

  it("are bounded, for each node and for the class", async () => {
    const { after, read } = await learning({ size: 3 });
    for (let next = 0; next < 100; next++) await read("home", `next ${next}`);
    expect(Object.keys(after("home")).length).toBeLessThanOrEqual(8);
    await read("a", "b", "c", "d", "e");
    expect(after("home")).toEqual({});
    expect(after("d")).toEqual({ e: 1 });
  });

  it("are none for a class that does not learn", async () => {
    const { cacheme } = await space();
    const plain = defineNode({
      name: "plain",
      key: (id: number) => `${id}`,
      load: (id) => id,
      caches: localOnly,
    });
    await cacheme.get(plain(1));
    await cacheme.get(plain(2));
    expect(cacheme.suggestions(plain(1))).toEqual([]);
  });
});

describe("learned nodes", () => {
  it("are only named, unless they are to be used", async () => {
    const { clock, loads, read } = await learning();
    for (let round = 0; round < 5; round++) await read("home", "cart");
    clock.advance(60_001);
    await read("home");
    await settled();
    expect(loads).toEqual(["home", "cart", "home"]);
  });

  it.each([localOnly, [perRequest(), ...localOnly!]])(
    "are loaded once they are likely enough, %#",
    async (...caches) => {
      const tiers = caches.flat() as typeof localOnly;
      const { cacheme, clock, loads, page, read } = await learning({ use: true, probability: 0.7 }, tiers);
      await read("home", "news", "home", "cart", "home", "cart", "home", "cart", "home", "cart");
      await settled();
      clock.advance(60_001);
      loads.length = 0;
      await cacheme.requestScope(async () => {
        await read("home");
        await settled();
        expect(loads).toEqual(["home", "cart"]);
        await read("cart");
      });
      expect(loads).toEqual(["home", "cart"]);
      expect(cacheme.stats(page)).toMatchObject({
        prefetchCount: 1,
        prefetchHitCount: 1,
        prefetchPrecision: 1,
      });
    },
  );

  it("wait for a few reads, and share no loadAll with their reader", async () => {
    const { cacheme, clock } = await space();
    const calls: string[][] = [];
    const page = defineNode({
      name: "page",
      key: (path: string) => path,
      loadAll: (paths: readonly string[]) => {
        calls.push([...paths]);
        if (paths.includes("gone")) throw new Error("gone");
        return paths;
      },
      caches: localOnly,
      prefetch: { learn: { use: true } },
    });
    const expire = () => clock.advance(60_001);
    await cacheme.set(page("gone"), "there");
    for (let round = 0; round < 3; round++) {
      await cacheme.get(page("home"));
      await cacheme.get(page("gone"));
    }
    await settled();
    expire();
    calls.length = 0;
    expect(await cacheme.get(page("home"))).toBe("home");
    await settled();
    expect(calls).toEqual([["home"], ["gone"]]);
  });
});

describe("learned nodes of a class without a local tier", () => {
  it("are looked for once for as long as the remote tier keeps them", async () => {
    const { cacheme, clock, remote } = await space();
    const page = defineNode({
      name: "page",
      key: (path: string) => path,
      load: (path) => path,
      caches: remoteOnly,
      prefetch: { learn: { use: true } },
    });
    const visit = async () => {
      for (const path of ["home", "cart"]) {
        await cacheme.get(page(path));
        await settled();
      }
    };
    for (let round = 0; round < 5; round++) await visit();
    const reads = () => remote.calls.filter(({ operation }) => operation === "read").length;
    const before = reads();
    await visit();
    expect(reads() - before).toBe(2);
    clock.advance(600_001);
    await visit();
    expect(cacheme.stats(page)).toMatchObject({ prefetchCount: 1, prefetchHitCount: 1 });
  });
});

describe("a class whose nodes were loaded in advance", () => {
  it("is watched no longer than they wait to be read", async () => {
    const { cacheme, clock } = await space();
    const next = defineNode({
      name: "next",
      key: (id: number) => `${id}`,
      load: (id) => id,
      caches: localOnly,
    });
    const first = defineNode({
      name: "first",
      key: (id: number) => `${id}`,
      load: (id) => id,
      related: (id) => [next(id)],
      caches: localOnly,
    });
    await cacheme.get(first(1));
    await settled();
    clock.advance(60_001);
    await cacheme.get(first(2)); // Drops the expired one.
    await settled();
    await cacheme.get(next(2));
    await cacheme.get(next(2));
    expect(cacheme.stats(next)).toMatchObject({ prefetchCount: 2, prefetchHitCount: 1, hits: { local: 2 } });
  });
});
