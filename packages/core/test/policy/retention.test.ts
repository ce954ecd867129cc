import { afterEach, describe, expect, it, vi } from "vitest";
import { type CachemeError, defineNode, memory, Node, type NodeMeta } from "../../src/index.js";
import { countingNode, localOnly, space, taggedSpace, twoTiers } from "../support/space.js";

const minute = 60_000;

interface Token {
  readonly secret: string;
  readonly lifetime: number;
}

function tokenNode(meta: NodeMeta) {
  return countingNode<Token>({ name: "token", ...meta }, (id) => ({
    secret: `${id}`,
    lifetime: id * minute,
  }));
}

describe("the option ttl", () => {
  it("computes the lifetime from the value and its node", async () => {
    const { cacheme } = await space();
    const seen: unknown[] = [];
    const { Counting } = tokenNode({
      caches: twoTiers,
      ttl: (token: Token, node: Node) => {
        seen.push(node);
        return token.lifetime;
      },
    });
    const node = new Counting(3);
    await cacheme.get(node);
    expect(seen).toEqual([node]);
    // The last tier keeps the value for the computed time, the nearer one for its own.
    expect((await cacheme.peek(node))?.ttl).toBe(minute);
    await cacheme.clear();
    expect((await cacheme.peek(node))?.ttl).toBe(3 * minute);
  });

  it("bounds the nearer tiers, too", async () => {
    const { cacheme } = await space();
    const { Counting } = tokenNode({ caches: twoTiers, ttl: "20s" });
    await cacheme.get(new Counting(1));
    expect(cacheme.peekLocal(new Counting(1))?.ttl).toBe(20_000);
  });

  it("applies to a class without caches", async () => {
    const { cacheme, clock } = await space();
    const node = defineNode({ name: "now", key: () => "now", load: () => clock.now(), ttl: "1s" });
    const first = await cacheme.get(node());
    clock.advance(999);
    expect(await cacheme.get(node())).toBe(first);
    clock.advance(1);
    expect(await cacheme.get(node())).toBe(first + 1_000);
  });

  it("yields to the ttl of the load and of a set, and holds for other sets", async () => {
    const { cacheme } = await space();
    class Own extends Node<Token> {
      static override meta: NodeMeta = {
        name: "own",
        caches: localOnly,
        ttl: (token: Token) => token.lifetime,
      };
      key() {
        return "k";
      }
      override load({ ttl }: Parameters<NonNullable<Node<Token>["load"]>>[0]) {
        ttl("5s");
        return { secret: "", lifetime: minute };
      }
    }
    await cacheme.get(new Own());
    expect(cacheme.peekLocal(new Own())?.ttl).toBe(5_000);
    await cacheme.set(new Own(), { secret: "", lifetime: 7_000 });
    expect(cacheme.peekLocal(new Own())?.ttl).toBe(7_000);
    await cacheme.set(new Own(), { secret: "", lifetime: 7_000 }, { ttl: "9s" });
    expect(cacheme.peekLocal(new Own())?.ttl).toBe(9_000);
  });

  it("applies to synchronous reads", async () => {
    const { cacheme } = await space();
    const node = defineNode({ name: "sync", key: () => "k", load: () => 1, caches: localOnly, ttl: "3s" });
    cacheme.getSync(node());
    expect(cacheme.peekLocal(node())?.ttl).toBe(3_000);
  });

  it("lets the readers have a value whose ttl cannot be computed, and reports it", async () => {
    const { cacheme } = await space();
    const errors: CachemeError[] = [];
    cacheme.on("notStored", ({ error }) => errors.push(error as CachemeError));
    const { Counting, loads } = tokenNode({
      caches: twoTiers,
      ttl: ({ lifetime }: Token) => {
        if (lifetime === minute) throw new TypeError("no lifetime");
        return -1;
      },
    });
    for (const id of [1, 1, 2])
      expect(await cacheme.get(new Counting(id))).toMatchObject({ secret: `${id}` });
    expect(loads).toEqual([1, 1, 2]);
    expect(errors.map(({ code }) => code)).toEqual([
      "CACHEME_POLICY_FAILED",
      "CACHEME_POLICY_FAILED",
      "CACHEME_INVALID_DURATION",
    ]);
    expect(errors[0]?.message).toContain('option ttl of node "token" threw: no lifetime');
    await expect(cacheme.set(new Counting(1), { secret: "", lifetime: minute })).rejects.toMatchObject({
      code: "CACHEME_POLICY_FAILED",
      node: "token",
      key: "1",
    });
    expect(await cacheme.peek(new Counting(1))).toBeUndefined();
  });
});

describe("the option jitter", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("shortens each ttl by a random part of the share, and never extends one", async () => {
    let next = 0;
    vi.spyOn(Math, "random").mockImplementation(() => next);
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: twoTiers, jitter: 0.2 }, (id) => id);
    const ttls: (number | undefined)[] = [];
    for (const [id, random] of [0, 0.5, 0.999].entries()) {
      next = random;
      const node = new Counting(id);
      await cacheme.get(node);
      ttls.push(cacheme.peekLocal(node)?.ttl);
      await cacheme.clear();
      ttls.push((await cacheme.peek(node))?.ttl);
      await cacheme.set(node, id, { ttl: "100s" });
      await cacheme.clear();
      ttls.push((await cacheme.peek(node))?.ttl);
    }
    expect(ttls).toEqual([60_000, 600_000, 100_000, 54_000, 540_000, 90_000, 48_012, 480_120, 80_020]);
  });

  it.each(["a plain read", "a read of tagged nodes"])("shortens a ttl that %s begins", async (read) => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const { cacheme, process } = await taggedSpace();
    const node = defineNode({
      name: "filled",
      caches: twoTiers,
      jitter: 0.2,
      ...(read === "a plain read" ? {} : { tags: () => ["tag"] }),
      key: (id: number) => `${id}`,
      load: (id: number) => id,
    });
    await (await process()).get(node(1));
    await cacheme.get(node(1));
    expect(cacheme.peekLocal(node(1))?.ttl).toBe(54_000);
  });

  it("shortens a ttl that a farther local tier begins", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const { cacheme } = await space();
    await cacheme.registerStorage("large", memory());
    const caches = [
      { storage: "local", ttl: "1m" },
      { storage: "large", ttl: "10m" },
    ] as const;
    const { Counting } = countingNode({ caches, jitter: 0.2 }, (id) => id);
    await cacheme.get(new Counting(1));
    await cacheme.clear("local");
    await cacheme.get(new Counting(1));
    expect(cacheme.peekLocal(new Counting(1))?.ttl).toBe(54_000);
  });

  it("spreads the expiry of values that were stored together", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly, jitter: 0.1 }, (id) => id);
    const nodes = Array.from({ length: 100 }, (_, id) => new Counting(id));
    await cacheme.getAll(nodes);
    const ttls = nodes.map((node) => cacheme.peekLocal(node)?.ttl ?? 0);
    expect(new Set(ttls).size).toBeGreaterThan(50);
    expect(Math.max(...ttls)).toBeLessThanOrEqual(60_000);
    expect(Math.min(...ttls)).toBeGreaterThanOrEqual(54_000);
  });
});

describe("the option negativeTtl", () => {
  it("is the ttl of null and undefined, and of no other value", async () => {
    const { cacheme } = await space();
    const values = [null, undefined, 0, "", false, Number.NaN];
    const { Counting } = countingNode(
      { caches: twoTiers, negativeTtl: "5s", ttl: "50s" },
      (id) => values[id],
    );
    const ttls: (number | undefined)[] = [];
    for (const id of values.keys()) {
      await cacheme.get(new Counting(id));
      ttls.push(cacheme.peekLocal(new Counting(id))?.ttl);
    }
    expect(ttls).toEqual([5_000, 5_000, 50_000, 50_000, 50_000, 50_000]);
  });

  it("makes a reader find a thing soon after it came to be", async () => {
    const { cacheme, clock } = await space();
    let row: string | null = null;
    const { Counting } = countingNode({ caches: twoTiers, negativeTtl: "5s" }, () => row);
    expect(await cacheme.get(new Counting(1))).toBeNull();
    row = "there";
    clock.advance(4_999);
    expect(await cacheme.get(new Counting(1))).toBeNull();
    clock.advance(1);
    expect(await cacheme.get(new Counting(1))).toBe("there");
  });
});

describe("the option shouldCache", () => {
  it("keeps a loaded value out of every tier, and its readers get it", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode<readonly number[]>(
      { caches: twoTiers, shouldCache: (rows: readonly number[]) => rows.length > 0 },
      (id) => (id === 1 ? [] : [id]),
    );
    for (const id of [1, 1, 2, 2]) expect(await cacheme.get(new Counting(id))).toEqual(id === 1 ? [] : [2]);
    expect(loads).toEqual([1, 1, 2]);
    await cacheme.set(new Counting(1), []);
    expect((await cacheme.peek(new Counting(1)))?.value).toEqual([]);
  });

  it("does not leave the older value that a refresh has replaced", async () => {
    const { cacheme } = await space();
    let value = 1;
    const { Counting } = countingNode(
      { caches: twoTiers, shouldCache: (given: number) => given < 2 },
      () => value,
    );
    await cacheme.get(new Counting(1));
    value = 2;
    await cacheme.refresh(new Counting(1));
    expect(await cacheme.peek(new Counting(1))).toBeUndefined();
  });

  it("applies to synchronous reads, and to each value of a loadAll", async () => {
    const { cacheme } = await space();
    const sync = defineNode({
      name: "sync",
      key: (id: number) => `${id}`,
      load: (id) => id,
      caches: localOnly,
      shouldCache: (value: number) => value > 1,
    });
    expect([1, 2].map((id) => cacheme.getSync(sync(id)))).toEqual([1, 2]);
    expect([1, 2].map((id) => cacheme.peekLocal(sync(id))?.value)).toEqual([undefined, 2]);
    const bulk = defineNode({
      name: "bulk",
      key: (id: number) => `${id}`,
      loadAll: (ids) => ids,
      caches: localOnly,
      shouldCache: (value: number) => value > 1,
    });
    expect(await cacheme.getAll([bulk(1), bulk(2)])).toEqual([1, 2]);
    expect([1, 2].map((id) => cacheme.peekLocal(bulk(id))?.value)).toEqual([undefined, 2]);
  });

  it("reports a function that returns a promise, instead of storing each value", async () => {
    const { cacheme } = await space();
    const errors: unknown[] = [];
    cacheme.on("notStored", ({ error }) => errors.push(error.message));
    const shouldCache = (async () => false) as unknown as () => boolean;
    const { Counting } = countingNode({ caches: localOnly, shouldCache }, (id) => id);
    expect(await cacheme.get(new Counting(1))).toBe(1);
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
    expect(errors).toEqual([expect.stringContaining("returned an object instead of true or false")]);
  });
});

describe("an invalid option", () => {
  it.each<[NodeMeta, string, string]>([
    [{ ttl: -1 }, "CACHEME_INVALID_DURATION", 'ttl of node "counting" is -1'],
    [{ negativeTtl: "soon" as "1s" }, "CACHEME_INVALID_DURATION", 'negativeTtl of node "counting" is "soon"'],
    [{ jitter: 2 }, "CACHEME_INVALID_META", "has `jitter: 2`: give a share of the ttl from 0 to 1"],
    [{ jitter: Number.NaN }, "CACHEME_INVALID_META", "has `jitter: NaN`"],
    [{ jitter: "10%" as unknown as number }, "CACHEME_INVALID_META", 'has `jitter: "10%"`'],
    [{ shouldCache: true as unknown as () => boolean }, "CACHEME_INVALID_META", "has `shouldCache: true`"],
  ])("is refused at the first use: %o", async (meta, code, message) => {
    const { cacheme } = await space();
    const { Counting } = countingNode(meta, (id) => id);
    await expect(cacheme.get(new Counting(1))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});
