import { describe, expect, it } from "vitest";
import { IncompleteError, type LoadContext, memory, Node, type NodeMeta } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { readAround } from "../support/read-around.js";
import { reason } from "../support/reason.js";
import { localOnly, NumberedNode, remoteOnly, taggedSpace, twoTiers } from "../support/space.js";

/** Makes a class whose nodes carry tags, with its loads. */
function users(caches: NodeMeta["caches"], tags: readonly string[] = ["team:7"]) {
  const loads: number[] = [];
  const gates = new Map<number, Promise<void>>();
  class UserNode extends NumberedNode<string> {
    static override meta: NodeMeta = { name: "user", caches };
    override tags() {
      return tags;
    }
    override async load() {
      loads.push(this.id);
      const load = loads.length;
      await gates.get(load);
      return `user ${this.id}, load ${load}`;
    }
  }
  return { UserNode, loads, gates };
}

const everywhere = { "local only": localOnly, "remote only": remoteOnly, "local and remote": twoTiers };

describe.each(Object.entries(everywhere))("tags, %s", (_, caches) => {
  it("invalidates every entry of a tag, and no other", async () => {
    const { cacheme } = await taggedSpace();
    const { UserNode, loads } = users(caches);
    const { UserNode: Other } = users(caches, ["team:8"]);
    Object.assign(Other.meta, { name: "other" });
    const read = () => cacheme.getAll([new UserNode(1), new UserNode(2), new Other(1)]);
    const before = await read();
    expect(await read()).toEqual(before);
    await cacheme.invalidateTags("team:7");
    const after = await read();
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    expect(after[2]).toBe(before[2]);
    expect(loads).toHaveLength(4);
    expect(await read()).toEqual(after);
  });

  it("does not store a load that a tag's invalidation has overtaken, but answers its readers", async () => {
    const { cacheme } = await taggedSpace();
    const { UserNode, loads, gates } = users(caches);
    const loading = deferred();
    gates.set(1, loading.promise);
    const read = () => cacheme.get(new UserNode(1));
    expect(await readAround(read, () => cacheme.invalidateTags("team:7"), loading)).toEqual([
      "user 1, load 1",
      "user 1, load 2",
    ]);
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 2");
    expect(loads).toHaveLength(2);
  });

  it("invalidates a value whose set is still under way", async () => {
    const { cacheme } = await taggedSpace();
    const { UserNode } = users(caches);
    const before = cacheme.invalidateTags("team:7");
    const setting = cacheme.set(new UserNode(1), "set");
    await Promise.all([before, setting, cacheme.invalidateTags("team:7")]);
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
  });

  it("invalidates a value that was set", async () => {
    const { cacheme } = await taggedSpace();
    const { UserNode } = users(caches);
    await cacheme.set(new UserNode(1), "set");
    expect(await cacheme.get(new UserNode(1))).toBe("set");
    await cacheme.invalidateTags("team:7");
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
  });

  it("invalidates a value by a tag of its set", async () => {
    const { cacheme } = await taggedSpace();
    const { UserNode } = users(caches);
    await cacheme.set(new UserNode(1), "set", { tags: ["extra"] });
    expect(await cacheme.get(new UserNode(1))).toBe("set");
    await cacheme.invalidateTags("extra");
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
  });

  it("shows the tags of an entry", async () => {
    const { cacheme } = await taggedSpace();
    const { UserNode } = users(caches, ["a", "b"]);
    await cacheme.set(new UserNode(1), "set", { tags: ["c", "a"] });
    expect((await cacheme.peek(new UserNode(1)))?.tags).toEqual(["a", "b", "c"]);
    await cacheme.invalidateTags("b");
    expect(await cacheme.peek(new UserNode(1))).toBeUndefined();
  });

  it("keeps the tags of a refreshed value", async () => {
    const { cacheme } = await taggedSpace();
    const { UserNode } = users(caches);
    await cacheme.refresh(new UserNode(1));
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
    await cacheme.invalidateTags("team:7");
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 2");
  });

  it("drops repeated tags", async () => {
    const { cacheme } = await taggedSpace();
    const { UserNode } = users(caches, ["a", "a"]);
    await cacheme.get(new UserNode(1));
    expect((await cacheme.peek(new UserNode(1)))?.tags).toEqual(["a"]);
  });
});

describe("tags across processes", () => {
  it("reads the generations in the request of the entries, once for each tag", async () => {
    const { cacheme, remote, process } = await taggedSpace();
    const { UserNode } = users(remoteOnly, ["a", "b"]);
    const nodes = Array.from({ length: 20 }, (_, id) => new UserNode(id));
    await cacheme.getAll(nodes);
    const other = await process();
    remote.calls.length = 0;
    await other.getAll(nodes);
    const reads = remote.calls.filter(({ operation }) => operation === "read");
    expect(reads).toHaveLength(1);
    expect(reads[0]?.keys).toHaveLength(22);
    expect(remote.calls.map(({ operation }) => operation)).not.toContain("ensure");
  });

  it("invalidates with one write, however many entries there are", async () => {
    const { cacheme, remote } = await taggedSpace();
    const { UserNode } = users(twoTiers);
    await cacheme.getAll(Array.from({ length: 500 }, (_, id) => new UserNode(id)));
    remote.calls.length = 0;
    await cacheme.invalidateTags("team:7");
    expect(remote.calls.map(({ operation, keys }) => [operation, keys.length])).toEqual([["bump", 1]]);
  });

  it("answers no remote read with a value from before another process's invalidation", async () => {
    const { cacheme, process } = await taggedSpace();
    const other = await process();
    const { UserNode } = users(remoteOnly);
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
    expect(await other.get(new UserNode(1))).toBe("user 1, load 1");
    await other.invalidateTags("team:7");
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 2");
    expect(await other.get(new UserNode(1))).toBe("user 1, load 2");
  });

  it("stores nothing valid of a load that another process's invalidation has overtaken", async () => {
    const { cacheme, process } = await taggedSpace();
    const other = await process();
    const { UserNode, gates, loads } = users(twoTiers);
    const loading = deferred();
    gates.set(1, loading.promise);
    const values = await readAround(
      () => cacheme.get(new UserNode(1)),
      () => other.invalidateTags("team:7"),
      loading,
    );
    expect(values).toEqual(["user 1, load 1", "user 1, load 2"]);
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 2");
    expect(await other.get(new UserNode(1))).toBe("user 1, load 2");
    expect(loads).toHaveLength(2);
  });

  it("drops the local entries of a tag as soon as a read learns its new generation", async () => {
    const { cacheme, process } = await taggedSpace();
    const other = await process();
    const { UserNode } = users(twoTiers);
    await cacheme.getAll([new UserNode(1), new UserNode(2)]);
    await other.invalidateTags("team:7");
    expect(cacheme.peekLocal(new UserNode(1))).toBeDefined();
    await cacheme.get(new UserNode(3));
    expect(cacheme.peekLocal(new UserNode(1))).toBeUndefined();
  });

  it("lets the local entries of equal tags share one list of generations", async () => {
    const { cacheme } = await taggedSpace();
    const lists = new Set<unknown>();
    const local = memory();
    const write = local.write.bind(local);
    local.write = (space, key, record, now) => {
      lists.add(record.generations);
      write(space, key, record, now);
    };
    await cacheme.registerStorage("watched", local);
    const { UserNode } = users(
      [
        { storage: "watched", ttl: "30s" },
        { storage: "remote", ttl: "10m" },
      ],
      ["a", "b"],
    );
    await cacheme.getAll(Array.from({ length: 20 }, (_, id) => new UserNode(id)));
    expect(lists.size).toBe(1);
    await cacheme.clear();
    await cacheme.getAll(Array.from({ length: 20 }, (_, id) => new UserNode(id)));
    expect(lists.size).toBe(1);
    await cacheme.invalidateTags("b");
    await cacheme.getAll(Array.from({ length: 20 }, (_, id) => new UserNode(id)));
    expect(lists.size).toBe(2);
  });

  it("makes a miss of a lost generation, never an old value, and announces no invalidation", async () => {
    const { cacheme, clock, remote } = await taggedSpace();
    const { UserNode } = users(remoteOnly);
    const announced: unknown[] = [];
    cacheme.on("invalidateTags", (event) => announced.push(event));
    cacheme.on("invalidate", (event) => announced.push(event));
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
    clock.advance(5);
    remote.lose("team:7");
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 2");
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 2");
    expect(announced).toEqual([]);
    await cacheme.invalidateTags("team:7");
    expect(announced).toEqual([{ tags: ["team:7"] }]);
  });

  it("keeps a generation for longer than the entries that carry it", async () => {
    const { cacheme, clock, remote } = await taggedSpace();
    const { UserNode } = users([{ storage: "remote", ttl: "3d" }]);
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
    clock.advance(2.9 * 86_400_000);
    expect(await cacheme.get(new UserNode(2))).toBe("user 2, load 2");
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
    clock.advance(2.9 * 86_400_000);
    expect(await cacheme.get(new UserNode(2))).toBe("user 2, load 2");
    expect(remote.count("ensure")).toBe(1);
    expect(await cacheme.get(new UserNode(3))).toBe("user 3, load 3");
    expect(remote.count("ensure")).toBe(2);
  });
});

describe("an invalidation of tags that does not reach a storage", () => {
  it("is repeated until it reaches the storage", async () => {
    const { cacheme, clock, remote, process } = await taggedSpace();
    const other = await process();
    const { UserNode } = users(remoteOnly);
    await cacheme.get(new UserNode(1));
    remote.gate = (operation) => {
      if (operation === "bump") throw new Error("The storage is down.");
    };
    const error = (await reason(cacheme.invalidateTags("team:7"))) as IncompleteError;
    expect(await other.get(new UserNode(1))).toBe("user 1, load 1");
    remote.gate = () => {};
    for (let turn = 0; turn < 5; turn++) {
      clock.advance(1_000);
      await settled();
    }
    await error.settled;
    expect(await other.get(new UserNode(1))).toBe("user 1, load 2");
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 2");
  });

  it("rejects, and distrusts the storage's entries of the tag until one reaches it", async () => {
    const { cacheme, remote } = await taggedSpace();
    const { UserNode } = users(twoTiers);
    const { UserNode: Other } = users(twoTiers, ["team:8"]);
    Object.assign(Other.meta, { name: "other" });
    await cacheme.getAll([new UserNode(1), new Other(1)]);
    remote.gate = (operation) => {
      if (operation === "bump") throw new Error("The storage is down.");
    };
    const error = await reason(cacheme.invalidateTags("team:7"));
    expect(error).toBeInstanceOf(IncompleteError);
    expect((error as IncompleteError).storages).toEqual(["remote"]);
    expect((error as IncompleteError).message).toContain('"team:7"');
    await cacheme.clear();
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 2");
    await cacheme.clear();
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 3");
    expect(await cacheme.get(new Other(1))).toBe("user 1, load 1");
    remote.gate = () => {};
    await cacheme.invalidateTags("team:7");
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 4");
    await cacheme.clear();
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 4");
  });

  it("keeps values locally while the storage is down, until it answers again", async () => {
    const { cacheme, clock, remote } = await taggedSpace();
    const { UserNode, loads } = users(twoTiers);
    remote.gate = () => {
      throw new Error("The storage is down.");
    };
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
    expect(loads).toHaveLength(1);
    await reason(cacheme.invalidateTags("team:7"));
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 2");
    remote.gate = () => {};
    clock.advance(30_000); // The breaker tries the storage again.
    await settled();
    await cacheme.get(new UserNode(2));
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 4");
  });
});

describe("context.tag", () => {
  /** @param gate holds the first load */
  function posts(
    caches: NodeMeta["caches"],
    tags: readonly string[] = ["author:1", "public"],
    gate?: Promise<void>,
  ) {
    const loads: number[] = [];
    class PostNode extends Node<string> {
      static override meta: NodeMeta = { name: "post", caches };
      key() {
        return "1";
      }
      override async load({ tag }: LoadContext<string>) {
        const load = loads.push(1);
        if (load === 1 && gate !== undefined) await gate;
        tag(...tags);
        return `post, load ${load}`;
      }
    }
    return { PostNode, loads };
  }

  it("adds tags that only the value tells", async () => {
    const { cacheme } = await taggedSpace();
    const { PostNode } = posts(localOnly);
    expect(await cacheme.get(new PostNode())).toBe("post, load 1");
    expect(await cacheme.get(new PostNode())).toBe("post, load 1");
    expect(cacheme.peekLocal(new PostNode())?.tags).toEqual(["author:1", "public"]);
    await cacheme.invalidateTags("author:1");
    expect(await cacheme.get(new PostNode())).toBe("post, load 2");
  });

  it("reads again for a late reader after another process has invalidated a tag that the value tells", async () => {
    const { cacheme, process } = await taggedSpace();
    const other = await process();
    const gate = deferred();
    const { PostNode } = posts(twoTiers, ["author:1"], gate.promise);
    const read = () => cacheme.get(new PostNode());
    expect(await readAround(read, () => other.invalidateTags("author:1"), gate)).toEqual([
      "post, load 1",
      "post, load 2",
    ]);
  });

  it("knows no generation if two of one millisecond arrive in an unknown order", async () => {
    const { cacheme, remote } = await taggedSpace();
    const { UserNode } = users(twoTiers);
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
    await cacheme.clear();
    const bumping = deferred();
    remote.gate = (operation, moment) =>
      operation === "bump" && moment === "request" ? bumping.promise : undefined;
    const invalidating = cacheme.invalidateTags("team:7");
    await settled();
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
    bumping.resolve();
    await invalidating;
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 2");
  });

  it("stores the value remotely if the tags are older than the lease of the load", async () => {
    const { cacheme, clock, remote, process } = await taggedSpace();
    const { PostNode } = posts(twoTiers);
    const stored = () => [...remote.records.keys()].filter((key) => key.includes("post"));
    expect(await cacheme.get(new PostNode())).toBe("post, load 1");
    // The load has made the generations, so an invalidation before them would not have been noticed.
    expect(stored()).toEqual([]);
    expect(cacheme.peekLocal(new PostNode())).toBeUndefined();
    clock.advance(1);
    expect(await cacheme.get(new PostNode())).toBe("post, load 2");
    expect(stored()).toHaveLength(1);
    expect(await cacheme.get(new PostNode())).toBe("post, load 2");
    const other = await process();
    expect(await other.get(new PostNode())).toBe("post, load 2");
    await cacheme.invalidateTags("public");
    expect(await other.peek(new PostNode())).toBeDefined();
    await other.clear();
    clock.advance(1);
    expect(await other.get(new PostNode())).toBe("post, load 3");
    expect(await cacheme.get(new PostNode())).toBe("post, load 3");
  });

  it("does not store the value if another process has invalidated a tag during the load", async () => {
    const { cacheme, clock, process } = await taggedSpace();
    const other = await process();
    const { PostNode } = posts(remoteOnly);
    await cacheme.get(new PostNode());
    clock.advance(1);
    let during = async (): Promise<void> => {
      clock.advance(1);
      await other.invalidateTags("author:1");
    };
    const load = async ({ tag }: LoadContext<string>) => {
      await during();
      tag("author:1");
      return "old";
    };
    expect(await cacheme.get(new PostNode(), { load })).toBe("old");
    expect(await cacheme.peek(new PostNode())).toBeUndefined();
    during = async () => {};
    clock.advance(1);
    expect(await cacheme.get(new PostNode(), { load })).toBe("old");
    expect((await cacheme.peek(new PostNode()))?.tags).toEqual(["author:1"]);
  });

  it("returns the value and does not store it remotely without leases", async () => {
    const { cacheme, clock, remote } = await taggedSpace();
    const { PostNode } = posts(twoTiers);
    Object.assign(PostNode.meta, { lease: false });
    for (const load of [1, 2]) {
      expect(await cacheme.get(new PostNode())).toBe(`post, load ${load}`);
      clock.advance(1);
    }
    expect([...remote.records.keys()].filter((key) => key.includes("post"))).toEqual([]);
    expect(cacheme.peekLocal(new PostNode())).toBeUndefined();
  });

  it("compares the tags of an entry that the node does not know in a second request", async () => {
    const { cacheme, process, remote } = await taggedSpace();
    const { PostNode } = posts(remoteOnly);
    await cacheme.set(new PostNode(), "set", { tags: ["author:1"] });
    const other = await process();
    remote.calls.length = 0;
    expect(await other.get(new PostNode())).toBe("set");
    expect(remote.count("read")).toBe(2);
    await cacheme.invalidateTags("author:1");
    expect(await other.get(new PostNode())).toBe("post, load 1");
    expect(await other.peek(new PostNode())).toBeUndefined();
  });

  it("overtakes a load that tells the tag later", async () => {
    const { cacheme } = await taggedSpace();
    const loading = deferred();
    const { PostNode } = posts(localOnly, ["late"], loading.promise);
    const early = cacheme.get(new PostNode());
    await settled();
    await cacheme.invalidateTags("late");
    loading.resolve();
    expect(await early).toBe("post, load 1");
    expect(await cacheme.get(new PostNode())).toBe("post, load 2");
  });
});

describe("the bounds of tags", () => {
  const bad: readonly [string, unknown][] = [
    ["an empty tag", [""]],
    ["a long tag", ["x".repeat(201)]],
    ["a tag of many bytes", ["é".repeat(101)]],
    ["a tag that begins with ~", ["~scope:1"]],
    ["a control character", ["a\nb"]],
    ["half a surrogate pair", ["\ud800"]],
    ["a number", [7]],
    ["a string", "team:7"],
  ];

  it.each(bad)("refuse %s before anything begins", async (_, tags) => {
    const { cacheme, remote } = await taggedSpace();
    const { UserNode, loads } = users(remoteOnly, tags as string[]);
    for (const call of [() => cacheme.get(new UserNode(1)), () => cacheme.set(new UserNode(1), "x")]) {
      expect(await reason(call())).toMatchObject({ code: "CACHEME_INVALID_TAG", node: "user", key: "1" });
    }
    expect(loads).toEqual([]);
    expect(remote.calls).toEqual([]);
  });

  it("refuse more than 64 tags", async () => {
    const { cacheme } = await taggedSpace();
    const many = Array.from({ length: 65 }, (_, tag) => `tag${tag}`);
    const { UserNode } = users(remoteOnly, many);
    expect(await reason(cacheme.get(new UserNode(1)))).toMatchObject({ code: "CACHEME_TOO_MANY_TAGS" });
    const { UserNode: Few } = users(remoteOnly, many.slice(1));
    Object.assign(Few.meta, { name: "few" });
    expect(await cacheme.get(new Few(1))).toBe("user 1, load 1");
    expect(await cacheme.get(new Few(1))).toBe("user 1, load 1");
    expect(await reason(cacheme.set(new Few(1), "x", { tags: ["one more"] }))).toMatchObject({
      code: "CACHEME_TOO_MANY_TAGS",
    });
  });

  it("refuse an invalid tag of an invalidation", async () => {
    const { cacheme } = await taggedSpace();
    expect(await reason(cacheme.invalidateTags("ok", "~own"))).toMatchObject({ code: "CACHEME_INVALID_TAG" });
  });

  it("refuse tags on a storage without generations, with its reason", async () => {
    const { cacheme, clock } = await taggedSpace();
    const { SimulatedRemote } = await import("../support/simulated-remote.js");
    await cacheme.registerStorage("plain", new SimulatedRemote(clock));
    const { UserNode } = users([{ storage: "plain" }]);
    const error = await reason(cacheme.get(new UserNode(1)));
    expect(error).toMatchObject({ code: "CACHEME_NOT_OFFERED", node: "user", storage: "plain" });
    expect((error as Error).message).toContain("generations");
  });
});

describe("tags of several remote tiers", () => {
  it("invalidates from right to left, so that no tier is refilled with an old value", async () => {
    const { cacheme, clock, remote } = await taggedSpace();
    const { TaggedRemote } = await import("../support/tagged-remote.js");
    const far = new TaggedRemote(clock, undefined);
    await cacheme.registerStorage("far", far);
    const { UserNode } = users([
      { storage: "remote", ttl: "1m" },
      { storage: "far", ttl: "10m" },
    ]);
    const order: string[] = [];
    remote.gate = (operation, moment) =>
      void (operation === "bump" && moment === "request" && order.push("remote"));
    far.gate = (operation, moment) =>
      void (operation === "bump" && moment === "request" && order.push("far"));
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
    clock.advance(60_001);
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
    await settled();
    await far.removeMany([...far.records.keys()].filter((key) => key.includes(":user:")));
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 1");
    await cacheme.invalidateTags("team:7");
    expect(order).toEqual(["far", "remote"]);
    expect(await cacheme.get(new UserNode(1))).toBe("user 1, load 2");
  });
});
