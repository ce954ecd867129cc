import { describe, expect, it } from "vitest";
import { Cacheme, defineNode } from "../src/index.js";
import { reason, thrownBy } from "./support/reason.js";
import { localOnly, space, twoTiers } from "./support/space.js";

describe("defineNode", () => {
  it("makes nodes that are read like any others", async () => {
    const { cacheme, remote } = await space();
    const loads: number[] = [];
    const user = defineNode({
      name: "defined-user",
      version: 3,
      caches: twoTiers,
      key: (id: number) => `${id}`,
      load: async (id) => {
        loads.push(id);
        return { id };
      },
    });
    expect(await cacheme.getAll([user(1), user(2), user(1)])).toEqual([{ id: 1 }, { id: 2 }, { id: 1 }]);
    expect(await cacheme.get(user(1))).toEqual({ id: 1 });
    expect(loads).toEqual([1, 2]);
    expect([...remote.records.keys()]).toEqual(["cacheme:defined-user:1:3", "cacheme:defined-user:2:3"]);
    await cacheme.invalidate(user(1));
    expect(cacheme.peekLocal(user(1))).toBeUndefined();
  });

  it("keeps the argument on the node, and passes it to key and load", async () => {
    const { cacheme } = await space();
    const page = defineNode({
      name: "defined-page",
      caches: localOnly,
      key: ({ site, path }: { site: string; path: string }) => `${site}/${path}`,
      load: ({ site, path }, context) => {
        context.ttl("5s");
        return `${path} of ${site}`;
      },
    });
    const node = page({ site: "example", path: "start" });
    expect([node.key(), node.argument]).toEqual(["example/start", { site: "example", path: "start" }]);
    expect(await cacheme.get(node)).toBe("start of example");
    expect(cacheme.peekLocal(node)?.ttl).toBe(5_000);
  });

  it("also takes no argument", async () => {
    const { cacheme } = await space();
    const settings = defineNode({
      name: "defined-settings",
      caches: localOnly,
      key: () => "all",
      load: () => 7,
    });
    expect(await cacheme.get(settings())).toBe(7);
    expect(cacheme.getSync(settings())).toBe(7);
  });

  it("loads many arguments in one go", async () => {
    const { cacheme } = await space();
    const calls: (readonly number[])[] = [];
    const post = defineNode({
      name: "defined-post",
      caches: localOnly,
      key: (id: number) => `${id}`,
      loadAll: async (ids) => {
        calls.push(ids);
        return ids.map((id) => (id === 2 ? new Error("no 2") : `post ${id}`));
      },
    });
    expect(await cacheme.getAllSettled([post(1), post(2), post(3)])).toMatchObject([
      { value: "post 1" },
      { reason: new Error("no 2") },
      { value: "post 3" },
    ]);
    expect(calls).toEqual([[1, 2, 3]]);
  });

  it("is listed by nodes() and accepted by stats()", async () => {
    const { cacheme } = await space();
    const user = defineNode({ name: "defined-listed", caches: localOnly, key: () => "k", load: () => 1 });
    await cacheme.get(user());
    expect(cacheme.nodes()).toEqual([{ name: "defined-listed", nodeClass: user }]);
    expect([user.name, cacheme.stats(user).loadCount]).toEqual(["defined-listed", 1]);
  });

  it("refuses getSync if the definition's load returns a promise", async () => {
    const { cacheme } = await space();
    const user = defineNode({
      name: "defined-async",
      caches: localOnly,
      key: () => "k",
      load: async () => 1,
    });
    expect(thrownBy(() => cacheme.getSync(user() as never))).toMatchObject({
      code: "CACHEME_NOT_SYNCHRONOUS",
    });
  });

  it("serves several Cacheme instances from one definition", async () => {
    const user = defineNode({ name: "defined-shared", key: () => "k", load: () => 1 });
    const [one, two] = [new Cacheme(), new Cacheme()];
    await one.set(user(), 10);
    expect([await one.get(user()), await two.get(user())]).toEqual([10, 1]);
  });
});

describe("a wrong definition", () => {
  it.each<[string, object]>([
    ["no name", { key: () => "k" }],
    ["an empty name", { name: "", key: () => "k" }],
    ["no key", { name: "defined-wrong" }],
    ["a key that is not a function", { name: "defined-wrong", key: "k" }],
  ])("is refused with %s", (_, definition) => {
    expect(thrownBy(() => defineNode(definition as never))).toMatchObject({
      code: "CACHEME_INVALID_NODE",
      message: expect.stringMatching(/`name`.*`key`/),
    });
  });

  it("is refused at its first use with an unknown option, or without a load", async () => {
    const { cacheme } = await space();
    const typo = defineNode({
      name: "defined-typo",
      key: () => "k",
      load: () => 1,
      cachse: [],
    } as never) as () => never;
    expect(await reason(cacheme.get(typo()))).toMatchObject({
      code: "CACHEME_INVALID_META",
      message: expect.stringMatching(/"cachse"/),
    });
    const bare = defineNode({ name: "defined-bare", key: () => "k", caches: localOnly });
    expect(await reason(cacheme.get(bare()))).toMatchObject({
      code: "CACHEME_NO_LOAD",
      node: "defined-bare",
    });
    expect(await cacheme.get(bare(), { load: () => 5 })).toBe(5);
  });
});
