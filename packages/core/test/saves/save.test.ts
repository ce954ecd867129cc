import { describe, expect, it } from "vitest";
import {
  defineNode,
  IncompleteError,
  type NodeMeta,
  type SaveAll,
  type SaveContext,
  SaveError,
  SerializationError,
} from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { gatedSource } from "../support/gated-source.js";
import { hold } from "../support/hold.js";
import { reason } from "../support/reason.js";
import { localOnly, NumberedNode, remoteOnly, twoTiers } from "../support/space.js";
import { cluster } from "../support/two-processes.js";

/** A node class over a source that a test can delay. */
function savedNode(meta: NodeMeta = {}) {
  const { SourceNode, source, loads, gate } = gatedSource();
  const saves: [number, unknown][] = [];
  class Saved extends SourceNode {
    static override meta: NodeMeta = { name: "saved", caches: twoTiers, ...meta };
    override async save(value: unknown, context: SaveContext) {
      saves.push([this.id, value]);
      await gate.save?.(this.id, value);
      context.signal.throwIfAborted();
      source.set(this.id, value);
    }
  }
  return { Saved, source, saves, loads, gate };
}

describe("a save", () => {
  it("writes the source, then every tier", async () => {
    const { cacheme, remote } = await cluster();
    const { Saved, source, loads } = savedNode();
    await cacheme.save(new Saved(1), "new");
    expect(source.get(1)).toBe("new");
    expect(cacheme.peekLocal(new Saved(1))?.value).toBe("new");
    await cacheme.clear();
    expect(await cacheme.get(new Saved(1))).toBe("new");
    expect(loads).toEqual([]);
    const operations = remote.calls.map(({ operation }) => operation).filter((name) => name !== "time");
    expect(operations.slice(0, 2)).toEqual(["acquire", "fill"]);
  });

  it("keeps the ttl and the tags of its options", async () => {
    const { cacheme } = await cluster();
    const { Saved } = savedNode({ caches: localOnly });
    await cacheme.save(new Saved(1), "new", { ttl: "5s", tags: ["team:1"] });
    expect(cacheme.peekLocal(new Saved(1))).toMatchObject({ ttl: 5_000 });
    await cacheme.invalidateTags("team:1");
    expect(cacheme.peekLocal(new Saved(1))).toBeUndefined();
  });

  it("leaves the tiers as they are if the source fails", async () => {
    const { cacheme, clock, remote } = await cluster();
    const { Saved, gate } = savedNode();
    await cacheme.set(new Saved(1), "old");
    gate.save = () => Promise.reject(new Error("read-only"));
    expect(await reason(cacheme.save(new Saved(1), "new"))).toEqual(new Error("read-only"));
    expect(cacheme.peekLocal(new Saved(1))?.value).toBe("old");
    await cacheme.clear();
    expect((await cacheme.peek(new Saved(1)))?.value).toBe("old");
    await settled();
    clock.advance(0);
    expect(remote.held.size).toBe(0);
  });

  it("refuses what a tier cannot carry, before the source is written", async () => {
    const { cacheme } = await cluster();
    const { Saved, saves } = savedNode();
    expect(await reason(cacheme.save(new Saved(1), () => {}))).toBeInstanceOf(SerializationError);
    expect(saves).toEqual([]);
  });

  it("keeps a load that has read the old value out of every tier", async () => {
    const { cacheme, remote } = await cluster();
    const { Saved, source, gate } = savedNode();
    source.set(1, "old");
    const loading = deferred<void>();
    gate.load = () => loading.promise;
    const reader = cacheme.get(new Saved(1));
    await settled();
    await cacheme.save(new Saved(1), "new");
    gate.load = () => undefined;
    loading.resolve();
    expect(await reader).toBe("old");
    await settled();
    expect(cacheme.peekLocal(new Saved(1))?.value).toBe("new");
    await cacheme.clear();
    expect((await cacheme.peek(new Saved(1)))?.value).toBe("new");
    expect(remote.held.size).toBe(0);
  });

  it("keeps the load of another process out, which began while the source was written", async () => {
    const { processes, server } = await cluster(2);
    const [one, other] = processes as [(typeof processes)[0], (typeof processes)[0]];
    const { Saved, source, gate } = savedNode({ caches: remoteOnly });
    source.set(1, "old");
    const writing = deferred<void>();
    gate.save = () => writing.promise;
    const saving = one.cacheme.save(new Saved(1), "new");
    await settled();
    // The lease of the save makes it wait.
    const reader = other.cacheme.get(new Saved(1));
    await settled();
    writing.resolve();
    await saving;
    expect((await one.cacheme.peek(new Saved(1)))?.value).toBe("new");
    expect(server.records.size).toBe(1);
    void reader.catch(() => {});
  });

  it("does not keep a load that began while the source was written in the local tier", async () => {
    const { cacheme } = await cluster();
    const { Saved, source, gate } = savedNode({ caches: localOnly });
    source.set(1, "old");
    const writing = deferred<void>();
    gate.save = () => writing.promise;
    const saving = cacheme.save(new Saved(1), "new");
    await settled();
    expect(await cacheme.get(new Saved(1))).toBe("old");
    writing.resolve();
    await saving;
    expect(cacheme.peekLocal(new Saved(1))?.value).not.toBe("old");
    expect(await cacheme.get(new Saved(1))).toBe("new");
  });

  it("leaves nothing older if two processes save a key at once", async () => {
    const { processes } = await cluster(2);
    const [one, other] = processes as [(typeof processes)[0], (typeof processes)[0]];
    const { Saved, source, gate } = savedNode({ caches: remoteOnly });
    const first = deferred<void>();
    gate.save = (_, value) => (value === "first" ? first.promise : undefined);
    const saving = one.cacheme.save(new Saved(1), "first");
    await settled();
    await other.cacheme.save(new Saved(1), "second");
    first.resolve();
    await saving;
    expect(source.get(1)).toBe("first");
    expect((await other.cacheme.peek(new Saved(1)))?.value).not.toBe("second");
  });

  it("runs the saves of one key in the order of their calls", async () => {
    const { cacheme } = await cluster();
    const { Saved, saves, gate } = savedNode({ caches: localOnly });
    const first = deferred<void>();
    gate.save = (_, value) => (value === "first" ? first.promise : undefined);
    const both = [cacheme.save(new Saved(1), "first"), cacheme.save(new Saved(1), "second")];
    const another = cacheme.save(new Saved(2), "at once");
    await another;
    expect(saves).toEqual([
      [1, "first"],
      [2, "at once"],
    ]);
    first.resolve();
    await Promise.all(both);
    expect(await cacheme.get(new Saved(1))).toBe("second");
  });

  it("yields to an invalidation that is called while the source is written", async () => {
    const { cacheme } = await cluster();
    const { Saved, source, gate, loads } = savedNode();
    const writing = deferred<void>();
    gate.save = () => writing.promise;
    const saving = cacheme.save(new Saved(1), "new");
    await settled();
    await cacheme.invalidate(new Saved(1));
    writing.resolve();
    await saving;
    source.set(1, "newer");
    expect(await cacheme.get(new Saved(1))).toBe("newer");
    expect(loads).toEqual([1]);
  });

  it("removes the key and says so if a tier does not take the value", async () => {
    const { cacheme, clock, remote } = await cluster();
    const { Saved } = savedNode();
    await cacheme.set(new Saved(1), "old");
    const held = hold(remote, "fill", "request");
    let isDown = true;
    const gate = remote.gate;
    remote.gate = (operation, moment) => {
      if (operation === "remove" && isDown) throw new Error("connection lost");
      return gate(operation, moment);
    };
    const saving = reason(cacheme.save(new Saved(1), "new"));
    await settled();
    held.reject(new Error("connection lost"));
    const error = (await saving) as IncompleteError;
    expect(error).toBeInstanceOf(IncompleteError);
    expect(error).toMatchObject({ code: "CACHEME_WRITE_INCOMPLETE", storages: ["remote"] });
    isDown = false;
    remote.gate = () => {};
    clock.advance(60_000);
    await error.settled;
    expect((await cacheme.peek(new Saved(1)))?.value).toBeUndefined();
  });

  it("takes too long: the tiers drop the key, and again when the source has ended", async () => {
    const { cacheme, clock } = await cluster();
    const { Saved, gate } = savedNode({ saveTimeout: "1s" });
    await cacheme.set(new Saved(1), "old");
    const writing = deferred<void>();
    gate.save = () => writing.promise;
    const saving = reason(cacheme.save(new Saved(1), "new"));
    await settled();
    clock.advance(1_000);
    expect(await saving).toMatchObject({ code: "CACHEME_SAVE_TIMEOUT", node: "saved", key: "1" });
    expect(await cacheme.peek(new Saved(1))).toBeUndefined();
    await cacheme.set(new Saved(1), "read meanwhile");
    writing.resolve();
    await settled();
    expect(await cacheme.peek(new Saved(1))).toBeUndefined();
  });

  it("invalidates the values that depend on the node", async () => {
    const { cacheme } = await cluster();
    const { Saved, source } = savedNode({ caches: localOnly });
    const page = defineNode({
      name: "page",
      caches: localOnly,
      track: true,
      key: () => "page",
      load: async (_, { get }) => `page of ${await get(new Saved(1))}`,
    });
    source.set(1, "old");
    expect(await cacheme.get(page())).toBe("page of old");
    await cacheme.save(new Saved(1), "new");
    expect(await cacheme.get(page())).toBe("page of new");
  });

  it("is refused for a class that cannot write", async () => {
    const { cacheme } = await cluster();
    const plain = defineNode({ name: "plain", key: () => "1", load: () => 1 });
    const error = await reason(cacheme.save(plain(), 2));
    expect(error).toBeInstanceOf(SaveError);
    expect(error).toMatchObject({ code: "CACHEME_NO_SAVE", node: "plain" });
  });

  it("replaces a kept error of a load", async () => {
    const { cacheme } = await cluster();
    const { Saved, gate } = savedNode({ caches: localOnly, errorTtl: "1m" });
    gate.load = () => Promise.reject(new Error("down"));
    expect(await reason(cacheme.get(new Saved(1)))).toMatchObject({ message: "down" });
    await cacheme.save(new Saved(1), "new");
    expect(await cacheme.get(new Saved(1))).toBe("new");
  });

  it("is waited for by close", async () => {
    const { cacheme } = await cluster();
    const { Saved, source, gate } = savedNode({ caches: localOnly });
    const writing = deferred<void>();
    gate.save = () => writing.promise;
    const saving = cacheme.save(new Saved(1), "new");
    await settled();
    const closing = cacheme.close();
    await settled();
    writing.resolve();
    await Promise.all([saving, closing]);
    expect(source.get(1)).toBe("new");
  });
});

describe("a save of a class that decides what is kept", () => {
  it("keeps the value for its ttl, and keeps nothing that is not to be cached", async () => {
    const { cacheme } = await cluster();
    const { Saved, source } = savedNode({
      caches: localOnly,
      ttl: "5s",
      shouldCache: (value) => value !== "draft",
    });
    await cacheme.save(new Saved(1), "public");
    expect(cacheme.peekLocal(new Saved(1))).toMatchObject({ ttl: 5_000 });
    await cacheme.save(new Saved(1), "draft");
    expect(source.get(1)).toBe("draft");
    expect(cacheme.peekLocal(new Saved(1))).toBeUndefined();
  });
});

describe("a save of many", () => {
  it("shares one saveAll in a tick, and fails value by value", async () => {
    const { cacheme } = await cluster();
    const calls: unknown[][] = [];
    class Bulk extends NumberedNode<string> {
      static override meta: NodeMeta = { name: "bulk", caches: twoTiers };
      static override saveAll: SaveAll<Bulk> = async (entries) => {
        calls.push(entries.map(({ node, value }) => [node.id, value]));
        return entries.map(({ node }) => (node.id === 2 ? new Error("two is taken") : undefined));
      };
    }
    const error = await reason(
      cacheme.saveAll([
        [new Bulk(1), "one"],
        [new Bulk(2), "two"],
        [new Bulk(3), "three"],
      ]),
    );
    expect(error).toEqual(new Error("two is taken"));
    expect(calls).toEqual([
      [
        [1, "one"],
        [2, "two"],
        [3, "three"],
      ],
    ]);
    expect(cacheme.peekLocal(new Bulk(1))?.value).toBe("one");
    expect(cacheme.peekLocal(new Bulk(2))).toBeUndefined();
    expect(cacheme.peekLocal(new Bulk(3))?.value).toBe("three");
  });

  it("gives a definition its arguments", async () => {
    const { cacheme } = await cluster();
    const written: unknown[] = [];
    const user = defineNode({
      name: "user",
      caches: localOnly,
      key: (id: number) => `${id}`,
      load: async (id) => ({ id }),
      save: (id, value) => written.push([id, value.id]),
      saveAll: (entries) => written.push(entries.map(({ argument, value }) => [argument, value.id])),
    });
    await cacheme.save(user(1), { id: 1 });
    await cacheme.saveAll([
      [user(2), { id: 2 }],
      [user(3), { id: 3 }],
    ]);
    expect(written).toEqual([
      [1, 1],
      [
        [2, 2],
        [3, 3],
      ],
    ]);
  });
});

describe("a save around the tiers", () => {
  it("writes the source, and drops the key from every tier", async () => {
    const { cacheme } = await cluster();
    const { Saved, source, loads } = savedNode({ write: "around" });
    await cacheme.set(new Saved(1), "old");
    await cacheme.save(new Saved(1), "new");
    expect(source.get(1)).toBe("new");
    expect(await cacheme.peek(new Saved(1))).toBeUndefined();
    expect(await cacheme.get(new Saved(1))).toBe("new");
    expect(loads).toEqual([1]);
  });

  it("leaves the tiers as they are if the source fails", async () => {
    const { cacheme } = await cluster();
    const { Saved, gate } = savedNode({ write: "around" });
    await cacheme.set(new Saved(1), "old");
    gate.save = () => Promise.reject(new Error("read-only"));
    expect(await reason(cacheme.save(new Saved(1), "new"))).toEqual(new Error("read-only"));
    expect((await cacheme.peek(new Saved(1)))?.value).toBe("old");
  });
});

describe("the options of writing", () => {
  it.each([
    [{ write: "sideways" }, "CACHEME_INVALID_META"],
    [{ saveTimeout: "soon" }, "CACHEME_INVALID_DURATION"],
  ])("are checked: %o", async (meta, code) => {
    const { cacheme } = await cluster();
    const { Saved } = savedNode(meta as NodeMeta);
    expect(await reason(cacheme.save(new Saved(1), "new"))).toMatchObject({ code });
  });

  it("need a way to write", async () => {
    const { cacheme } = await cluster();
    const plain = defineNode({ name: "plain", key: () => "1", load: () => 1, write: "around" });
    expect(await reason(cacheme.get(plain()))).toMatchObject({ code: "CACHEME_INVALID_NODE", node: "plain" });
  });
});
