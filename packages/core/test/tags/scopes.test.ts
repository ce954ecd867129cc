import { describe, expect, it } from "vitest";
import { Cacheme, defineNode, type LoadAll, type LoadContext, Node, type NodeMeta } from "../../src/index.js";
import { sharedState } from "../../src/shared-state.js";
import { settled } from "../support/deferred.js";
import { reason, thrownBy } from "../support/reason.js";
import { localOnly, remoteOnly, taggedSpace, twoTiers } from "../support/space.js";

/** Makes a class in the caller's scope, with its loads. */
function carts(caches: NodeMeta["caches"] = twoTiers) {
  const loads: string[] = [];
  class CartNode extends Node<string> {
    static override meta: NodeMeta = { name: "cart", scopedTo: "user", caches };
    key() {
      return "cart";
    }
    override load() {
      loads.push("load");
      return `load ${loads.length}`;
    }
  }
  return { CartNode, loads };
}

async function scopedSpace() {
  const made = await taggedSpace();
  made.cacheme.defineScopes("org", "user", "session");
  return made;
}

describe.each(Object.entries({ localOnly, remoteOnly, twoTiers }))("a scoped node, %s", (_, caches) => {
  it("has an entry for each scope", async () => {
    const { cacheme } = await scopedSpace();
    const { CartNode } = carts(caches);
    const read = (org: number, user: number) =>
      cacheme.withScope({ org, user }, () => cacheme.get(new CartNode()));
    expect(await read(1, 1)).toBe("load 1");
    expect(await read(1, 2)).toBe("load 2");
    expect(await read(2, 1)).toBe("load 3");
    expect(await read(1, 1)).toBe("load 1");
  });

  it("is dropped with the scope that it is in, and no other", async () => {
    const { cacheme } = await scopedSpace();
    const { CartNode } = carts(caches);
    const read = (org: number, user: number) =>
      cacheme.withScope({ org, user }, () => cacheme.get(new CartNode()));
    const all = async () => [await read(1, 1), await read(1, 2), await read(2, 1)];
    expect(await all()).toEqual(["load 1", "load 2", "load 3"]);
    await cacheme.invalidateScope({ org: 1, user: 2 });
    expect(await all()).toEqual(["load 1", "load 4", "load 3"]);
    await cacheme.invalidateScope({ org: 1 });
    expect(await all()).toEqual(["load 5", "load 6", "load 3"]);
  });
});

describe("a scope", () => {
  it("is the node's own, or comes from the caller above its levels", async () => {
    const { cacheme } = await scopedSpace();
    const page = defineNode({
      name: "page",
      key: (id: { org?: number; user?: number }) => `page${id.user ?? ""}`,
      scope: ({ org, user }) => ({ ...(org && { org }), ...(user && { user }) }),
      load: (id) => JSON.stringify(id),
      caches: localOnly,
    });
    await cacheme.get(page({ org: 1 }));
    await cacheme.withScope({ org: 1 }, () => cacheme.get(page({ user: 2 })));
    await cacheme.get(page({ org: 1, user: 3 }));
    await cacheme.invalidateScope({ org: 1 });
    expect(cacheme.peekLocal(page({ org: 1 }))).toBeUndefined();
    expect(cacheme.peekLocal(page({ org: 1, user: 2 }))).toBeUndefined();
    expect(cacheme.peekLocal(page({ org: 1, user: 3 }))).toBeUndefined();
  });

  it("with a missing level is an error, and never a shared entry", async () => {
    const { cacheme } = await scopedSpace();
    const { CartNode, loads } = carts();
    const missing = { code: "CACHEME_MISSING_SCOPE", node: "cart" };
    expect(await reason(cacheme.get(new CartNode()))).toMatchObject(missing);
    expect(await reason(cacheme.withScope({ org: 1 }, () => cacheme.get(new CartNode())))).toMatchObject(
      missing,
    );
    expect(await reason(cacheme.invalidate(new CartNode()))).toMatchObject(missing);
    expect(thrownBy(() => cacheme.peekLocal(new CartNode()))).toMatchObject(missing);
    const [outcome] = await cacheme.getAllSettled([new CartNode()]);
    expect(outcome).toMatchObject({ status: "rejected", reason: missing });
    expect(loads).toEqual([]);
    expect(await reason(cacheme.invalidateScope({ user: 1 }))).toMatchObject({
      code: "CACHEME_MISSING_SCOPE",
    });
  });

  it("does not take the user of another organization from the caller", async () => {
    const { cacheme } = await scopedSpace();
    class OrgNode extends Node<string> {
      static override meta: NodeMeta = { name: "org", scopedTo: "user", caches: localOnly };
      key() {
        return "1";
      }
      override scope() {
        return { org: 2 };
      }
      override load() {
        return "x";
      }
    }
    const read = (org: number) => cacheme.withScope({ org, user: 3 }, () => cacheme.get(new OrgNode()));
    expect(await read(2)).toBe("x");
    expect(await reason(read(1))).toMatchObject({ code: "CACHEME_MISSING_SCOPE" });
  });

  it("keeps values apart that look like paths", async () => {
    const { cacheme } = await scopedSpace();
    const item = defineNode({
      name: "item",
      key: ({ key }: { key: string; scope: Record<string, string> }) => key,
      scope: ({ scope }) => scope,
      load: ({ key, scope }) => JSON.stringify([key, scope]),
      caches: localOnly,
    });
    const odd = ["1", "1/user=2", "1//x", "=", "%2F", "user=2", "ä", "*", " "];
    const nodes = odd.flatMap((one) =>
      odd.flatMap((other) => [
        { key: one, scope: { org: other } },
        { key: "x", scope: { org: one, user: other } },
      ]),
    );
    for (const each of nodes)
      expect(await cacheme.get(item(each))).toBe(JSON.stringify([each.key, each.scope]));
    for (const each of nodes)
      expect(await cacheme.get(item(each))).toBe(JSON.stringify([each.key, each.scope]));
  });

  const bad: readonly [string, (cacheme: Cacheme) => unknown][] = [
    ["an unknown level", (cacheme) => cacheme.withScope({ team: 1 }, () => {})],
    ["an empty value", (cacheme) => cacheme.withScope({ org: "" }, () => {})],
    ["a value that is no number", (cacheme) => cacheme.withScope({ org: Number.NaN }, () => {})],
    ["half a surrogate pair", (cacheme) => cacheme.withScope({ org: "\ud800" }, () => {})],
    ["a long value", (cacheme) => cacheme.withScope({ org: "x".repeat(101) }, () => {})],
    ["an object", (cacheme) => cacheme.withScope({ org: {} as never }, () => {})],
    ["something else than a scope", (cacheme) => cacheme.withScope("org" as never, () => {})],
    ["other levels than before", (cacheme) => cacheme.defineScopes("org")],
    ["levels of one name", () => new Cacheme().defineScopes("a", "a")],
    ["no level", () => new Cacheme().defineScopes()],
    ["a level with a slash", () => new Cacheme().defineScopes("a/b")],
    ["scopes before they are defined", () => new Cacheme().withScope({ org: 1 }, () => {})],
  ];

  it.each(bad)("refuses %s", async (_, call) => {
    const { cacheme } = await scopedSpace();
    expect(thrownBy(() => call(cacheme))).toMatchObject({ code: "CACHEME_INVALID_SCOPE" });
    expect(sharedState.scopesRunning).toBe(0);
  });

  it("refuses a class whose level is not defined", async () => {
    const { cacheme } = await taggedSpace();
    const { CartNode } = carts();
    expect(await reason(cacheme.get(new CartNode()))).toMatchObject({
      code: "CACHEME_INVALID_SCOPE",
      node: "cart",
    });
  });

  it("may be defined again with the same levels", async () => {
    const { cacheme } = await scopedSpace();
    cacheme.defineScopes("org", "user", "session");
  });
});

describe("withScope", () => {
  it("returns the function's answer, and carries the scope through its awaits", async () => {
    const { cacheme } = await scopedSpace();
    const { CartNode } = carts();
    expect(cacheme.withScope({ org: 1 }, () => 7)).toBe(7);
    const answer = await cacheme.withScope({ org: 1, user: 1 }, async () => {
      await settled();
      const [one, two] = await cacheme.getAll([new CartNode(), new CartNode()]);
      return [one, two, await cacheme.get(new CartNode())];
    });
    expect(answer).toEqual(["load 1", "load 1", "load 1"]);
  });

  it("nests: an inner scope keeps the levels above its own, and drops those below", async () => {
    const { cacheme } = await scopedSpace();
    const { CartNode, loads } = carts();
    const inner = (scope: Record<string, number>) =>
      cacheme.withScope({ org: 1, user: 1 }, () =>
        cacheme.withScope(scope, () => cacheme.get(new CartNode())),
      );
    expect(await inner({ session: 5 })).toBe("load 1");
    expect(await inner({ user: 2 })).toBe("load 2");
    expect(await reason(inner({ org: 2 }))).toMatchObject({ code: "CACHEME_MISSING_SCOPE" });
    expect(loads).toHaveLength(2);
  });

  it("keeps concurrent callers apart", async () => {
    const { cacheme } = await scopedSpace();
    const { CartNode } = carts();
    const read = (user: number) =>
      cacheme.withScope({ org: 1, user }, async () => {
        for (let turn = 0; turn < user; turn++) await settled();
        return cacheme.get(new CartNode());
      });
    const values = await Promise.all([read(1), read(2), read(3)]);
    expect(new Set(values).size).toBe(3);
  });

  it("uses its AsyncLocalStorage only while a function runs", async () => {
    const { cacheme } = await scopedSpace();
    expect(sharedState.scopesRunning).toBe(0);
    const running = cacheme.withScope({ org: 1 }, () => settled());
    expect(sharedState.scopesRunning).toBe(1);
    await running;
    await settled();
    expect(sharedState.scopesRunning).toBe(0);
    thrownBy(() =>
      cacheme.withScope({ org: 1 }, () => {
        throw new Error("thrown");
      }),
    );
    await reason(cacheme.withScope({ org: 1 }, () => Promise.reject(new Error("rejected"))));
    await settled();
    expect(sharedState.scopesRunning).toBe(0);
  });

  it("gives a load the scope of its node", async () => {
    const { cacheme } = await scopedSpace();
    const { CartNode } = carts();
    const page = defineNode({
      name: "page",
      key: () => "page",
      scope: () => ({ org: 9, user: 9 }),
      load: async (_: undefined, { get }: LoadContext) => `page of ${await get(new CartNode())}`,
      caches: localOnly,
    });
    expect(await cacheme.withScope({ org: 1, user: 1 }, () => cacheme.get(page()))).toBe("page of load 1");
    expect(await cacheme.withScope({ org: 9, user: 9 }, () => cacheme.get(new CartNode()))).toBe("load 1");
    expect(await cacheme.withScope({ org: 1, user: 1 }, () => cacheme.get(new CartNode()))).toBe("load 2");
    await settled();
    expect(sharedState.scopesRunning).toBe(0);
  });

  it("loads the nodes of one scope in one loadAll, and never those of two", async () => {
    const { cacheme } = await scopedSpace();
    const batches: string[][] = [];
    class BulkNode extends Node<string> {
      static override meta: NodeMeta = { name: "bulk", scopedTo: "org", caches: localOnly };
      static override loadAll: LoadAll<BulkNode> = (nodes, context) => {
        batches.push(nodes.map((node) => node.id));
        for (const node of nodes) context.for(node).ttl("1s");
        return nodes.map((node) => `${node.id} of batch ${batches.length}`);
      };
      constructor(readonly id: string) {
        super();
      }
      key() {
        return this.id;
      }
    }
    const read = (org: number) =>
      cacheme.withScope({ org }, () => cacheme.getAll([new BulkNode("a"), new BulkNode("b")]));
    const answers = await Promise.all([read(1), read(2)]);
    expect(batches).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
    expect(answers).toEqual([
      ["a of batch 1", "b of batch 1"],
      ["a of batch 2", "b of batch 2"],
    ]);
  });

  it("works with getSync", async () => {
    const { cacheme } = await scopedSpace();
    const { CartNode } = carts(localOnly);
    expect(cacheme.withScope({ org: 1, user: 1 }, () => cacheme.getSync(new CartNode()))).toBe("load 1");
    expect(cacheme.withScope({ org: 1, user: 2 }, () => cacheme.getSync(new CartNode()))).toBe("load 2");
    await cacheme.invalidateScope({ org: 1 });
    expect(cacheme.withScope({ org: 1, user: 1 }, () => cacheme.getSync(new CartNode()))).toBe("load 3");
  });
});
