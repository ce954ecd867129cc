import { describe, expect, it } from "vitest";
import { defineNode, type LoadContext, type Node, type NodeMeta } from "../../src/index.js";
import { sharedState } from "../../src/shared-state.js";
import { deferred, settled } from "../support/deferred.js";
import { reason } from "../support/reason.js";
import { localOnly, NumberedNode, remoteOnly, taggedSpace, twoTiers } from "../support/space.js";

/** Makes a page that is made of a user, declared by `dependsOn` or recorded by `track`. */
function pages(caches: NodeMeta["caches"], how: "dependsOn" | "track", of: NodeMeta["caches"] = caches) {
  const source = { user: "ada" };
  const gates: { page?: Promise<void> } = {};
  const loads: string[] = [];
  const user = defineNode({
    name: "user",
    key: (id: number) => `${id}`,
    load: async (id) => {
      loads.push("user");
      return `${source.user} ${id}`;
    },
    caches: of,
  });
  const page = defineNode({
    name: "page",
    key: (id: number) => `${id}`,
    ...(how === "dependsOn" ? { dependsOn: (id: number) => [user(id)] } : { track: true }),
    load: async (id, { get }) => {
      loads.push("page");
      const found = await get(user(id));
      await gates.page;
      return `page of ${found}`;
    },
    caches,
  });
  return { user, page, source, gates, loads };
}

const everywhere = { localOnly, remoteOnly, twoTiers };
const ways = ["dependsOn", "track"] as const;
const cases = ways.flatMap((how) =>
  Object.entries(everywhere).map(([name, caches]) => [how, name, caches] as const),
);

describe.each(cases)("a dependency by %s, %s", (how, _, caches) => {
  it("invalidates the outer value with the inner one", async () => {
    const { cacheme, clock } = await taggedSpace();
    const { user, page, source } = pages(caches, how);
    for (let round = 0; round < 3; round++) {
      await cacheme.get(page(1));
      clock.advance(1);
    }
    const before = await cacheme.get(page(2));
    source.user = "grace";
    expect(await cacheme.get(page(1))).toBe("page of ada 1");
    await cacheme.invalidate(user(1));
    expect(await cacheme.get(page(1))).toBe("page of grace 1");
    expect(await cacheme.get(page(2))).toBe(before);
  });

  it("reaches the outer load that is under way", async () => {
    const { cacheme, clock } = await taggedSpace();
    const { user, page, source, gates } = pages(caches, how);
    await cacheme.get(page(1));
    await cacheme.invalidate(page(1));
    clock.advance(1);
    const loading = deferred();
    gates.page = loading.promise;
    const early = cacheme.get(page(1));
    await settled();
    source.user = "grace";
    await cacheme.invalidate(user(1));
    clock.advance(1);
    const late = cacheme.get(page(1));
    await settled();
    loading.resolve();
    expect(await early).toBe("page of ada 1");
    expect(await late).toBe("page of grace 1");
    expect(await cacheme.get(page(1))).toBe("page of grace 1");
  });

  it("keeps the outer value while the inner one stays", async () => {
    const { cacheme, clock } = await taggedSpace();
    const { page, loads } = pages(caches, how);
    for (let round = 0; round < 3; round++) {
      await cacheme.get(page(1));
      clock.advance(1);
    }
    const count = loads.length;
    await cacheme.get(page(1));
    expect(loads).toHaveLength(count);
    expect((await cacheme.peek(page(1)))?.tags).toContain("~node:user:1");
  });
});

/** A node that others depend on. */
const counted = defineNode({ name: "inner", key: (id: number) => `${id}`, load: () => 1, caches: localOnly });

describe("a dependency", () => {
  it.each(ways)("reaches the value in another process, by %s", async (how) => {
    const { cacheme, clock, process } = await taggedSpace();
    const other = await process();
    const { user, page, source } = pages(remoteOnly, how);
    for (let round = 0; round < 3; round++) {
      await cacheme.get(page(1));
      clock.advance(1);
    }
    expect(await cacheme.peek(page(1))).toBeDefined();
    source.user = "grace";
    await other.invalidate(user(1));
    expect(await cacheme.peek(page(1))).toBeUndefined();
    expect(await cacheme.get(page(1))).toBe("page of grace 1");
  });

  it.each(ways)("reaches a value in a storage that the inner one does not use, by %s", async (how) => {
    const { cacheme, clock } = await taggedSpace();
    const { user, page, source } = pages(remoteOnly, how, localOnly);
    for (let round = 0; round < 3; round++) {
      await cacheme.get(page(1));
      clock.advance(1);
    }
    source.user = "grace";
    await cacheme.invalidate(user(1));
    expect(await cacheme.get(page(1))).toBe("page of grace 1");
  });

  it.each(ways)("is transitive, and takes over tags, by %s", async (how) => {
    const { cacheme } = await taggedSpace();
    let version = 1;
    const options = <N extends Node>(node: (id: number) => N) =>
      how === "track" ? { track: true } : { dependsOn: (id: number) => [node(id)] };
    const a = defineNode({
      name: "a",
      key: (id: number) => `${id}`,
      tags: () => ["tag of a"],
      load: () => version,
      caches: localOnly,
    });
    const over = <N extends Node<number>>(name: string, node: (id: number) => N) =>
      defineNode({
        name,
        key: (id: number) => `${id}`,
        ...options(node),
        load: (id: number, { get }: LoadContext): Promise<number> => get(node(id)),
        caches: localOnly,
      });
    const b = over("b", a);
    const c = over("c", b);
    expect(await cacheme.get(c(1))).toBe(1);
    version = 2;
    await cacheme.invalidate(a(1));
    expect(await cacheme.get(c(1))).toBe(2);
    version = 3;
    await cacheme.invalidateTags("tag of a");
    expect(await cacheme.get(c(1))).toBe(3);
    expect(await cacheme.get(b(1))).toBe(3);
    version = 4;
    await cacheme.invalidate(b(1));
    expect(await cacheme.get(c(1))).toBe(3);
  });

  it("is recorded for a hit in memory, getAll, peek and getSync", async () => {
    const { cacheme } = await taggedSpace();
    let version = 1;
    const inner = defineNode({
      name: "inner",
      key: (id: string) => id,
      load: () => version,
      caches: localOnly,
    });
    await cacheme.getAll([inner("hit"), inner("peek")]);
    const outer = defineNode({
      name: "outer",
      key: () => "1",
      track: true,
      load: async (_: undefined, { get, getAll, peek }: LoadContext) => {
        const values = [await get(inner("hit")), ...(await getAll([inner("a"), inner("b")]))];
        return [...values, (await peek(inner("peek")))?.value, cacheme.getSync(inner("sync"))];
      },
      caches: localOnly,
    });
    for (const key of ["hit", "a", "b", "peek", "sync"]) {
      const before = await cacheme.get(outer());
      expect(await cacheme.get(outer())).toBe(before);
      version += 1;
      await cacheme.invalidate(inner(key));
      expect(await cacheme.get(outer())).not.toBe(before);
    }
    expect(sharedState.recordings).toBe(0);
  });

  it("is recorded in a synchronous load", async () => {
    const { cacheme } = await taggedSpace();
    let version = 1;
    const inner = defineNode({ name: "inner", key: () => "1", load: () => version, caches: localOnly });
    const outer = defineNode({
      name: "outer",
      key: () => "1",
      track: true,
      load: () => `outer ${cacheme.getSync(inner())}`,
      caches: localOnly,
    });
    expect(cacheme.getSync(outer())).toBe("outer 1");
    version = 2;
    await cacheme.invalidate(inner());
    expect(cacheme.getSync(outer())).toBe("outer 2");
    expect(sharedState.recordings).toBe(0);
  });

  it("is not recorded without the option track", async () => {
    const { cacheme } = await taggedSpace();
    const inner = defineNode({ name: "inner", key: () => "1", load: () => 1, caches: localOnly });
    const outer = defineNode({
      name: "outer",
      key: () => "1",
      load: (_: undefined, { get }: LoadContext) => get(inner()),
      caches: localOnly,
    });
    await cacheme.get(outer());
    expect(cacheme.peekLocal(outer())?.tags).toEqual([]);
  });

  it("refuses a circle of dependsOn", async () => {
    const { cacheme } = await taggedSpace();
    class RingNode extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "ring", caches: localOnly };
      override dependsOn() {
        return [new RingNode((this.id + 1) % 3)];
      }
      override load() {
        return 1;
      }
    }
    const error = await reason(cacheme.get(new RingNode(0)));
    expect(error).toMatchObject({ code: "CACHEME_DEPENDENCY_CYCLE", node: "ring" });
    expect((error as Error).message).toContain("ring:0 → ring:1 → ring:2 → ring:0");
  });

  it("refuses more than 100 nodes of dependsOn", async () => {
    const { cacheme } = await taggedSpace();
    const outer = defineNode({
      name: "outer",
      key: (count: number) => `${count}`,
      dependsOn: (count: number) => Array.from({ length: count }, (_, id) => counted(id)),
      load: () => 1,
      caches: localOnly,
    });
    expect(await cacheme.get(outer(100))).toBe(1);
    expect(await reason(cacheme.get(outer(101)))).toMatchObject({ code: "CACHEME_TOO_MANY_DEPENDENCIES" });
    const odd = defineNode({ name: "odd", key: () => "1", dependsOn: () => "x" as never, load: () => 1 });
    expect(await reason(cacheme.get(odd()))).toMatchObject({ code: "CACHEME_INVALID_NODE" });
  });

  it("returns a value that has recorded more than 100 nodes, and does not store it", async () => {
    const { cacheme } = await taggedSpace();
    const outer = defineNode({
      name: "outer",
      key: (count: number) => `${count}`,
      track: true,
      load: async (count: number, { getAll }: LoadContext) =>
        (await getAll(Array.from({ length: count }, (_, id) => counted(id)))).length,
      caches: localOnly,
    });
    const reported: unknown[] = [];
    cacheme.on("notStored", ({ error }) => reported.push(error));
    expect(await cacheme.get(outer(100))).toBe(100);
    expect(cacheme.peekLocal(outer(100))).toBeDefined();
    expect(reported).toEqual([]);
    expect(await cacheme.get(outer(101))).toBe(101);
    expect(cacheme.peekLocal(outer(101))).toBeUndefined();
    expect(reported).toMatchObject([{ code: "CACHEME_TOO_MANY_DEPENDENCIES" }]);
  });

  it("rejects if a storage with dependent values cannot be reached, and distrusts them", async () => {
    const { cacheme, clock, remote } = await taggedSpace();
    const { user, page, source } = pages(remoteOnly, "dependsOn", localOnly);
    await cacheme.get(page(1));
    clock.advance(1);
    source.user = "grace";
    remote.gate = (operation) => {
      if (operation === "remove") throw new Error("The storage is down.");
    };
    expect(await reason(cacheme.invalidate(user(1)))).toMatchObject({
      code: "CACHEME_INVALIDATION_INCOMPLETE",
      storages: ["remote"],
    });
    expect(await cacheme.get(page(1))).toBe("page of grace 1");
  });
});
