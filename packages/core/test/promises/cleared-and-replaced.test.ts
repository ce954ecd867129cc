import { describe, expect, it } from "vitest";
import { memory } from "../../src/index.js";
import { type Deferred, deferred, settled } from "../support/deferred.js";
import { loadingNode } from "../support/loading-nodes.js";
import { countingNode, space, twoTiers } from "../support/space.js";

describe("clear only drops the entries of local tiers", () => {
  it("lets a set that is under way reach the remote tier", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, () => "loaded");
    await cacheme.set(new Counting(1), "old");
    const setting = cacheme.set(new Counting(1), "new");
    await cacheme.clear();
    await setting;
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
    expect(await cacheme.get(new Counting(1))).toBe("new");
  });

  it("gives no reader an older value than a refresh that it interrupted", async () => {
    const { cacheme } = await space();
    const { loading, Counting } = loadingNode<string>({ caches: twoTiers });
    await cacheme.set(new Counting(1), "old");
    const refreshed = cacheme.refresh(new Counting(1));
    await settled();
    await cacheme.clear();
    loading.resolve("new");
    expect(await refreshed).toBe("new");
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
    expect(await cacheme.get(new Counting(1))).toBe("new");
  });

  it("lets nobody join a load that began before", async () => {
    const { cacheme } = await space();
    const before = deferred<string>();
    const { Counting } = countingNode({ caches: [{ storage: "local" }] }, (_, load) =>
      load === 1 ? before.promise : "after",
    );
    const reads = [cacheme.refresh(new Counting(1))];
    await settled();
    reads.push(cacheme.get(new Counting(1)));
    await settled();
    await cacheme.clear();
    const after = cacheme.get(new Counting(1));
    await settled();
    before.resolve("before");
    expect(await Promise.all([...reads, after])).toEqual(["before", "after", "after"]);
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe("after");
  });
});

describe("a storage that another one replaces", () => {
  const another = () => memory({ maxSize: 7 });

  it("keeps a load that waited for its place from undoing an invalidation in the other tiers", async () => {
    const { cacheme } = await space();
    const loading: Deferred<string>[] = [deferred(), deferred()];
    const meta = { caches: twoTiers, concurrency: 1 };
    const { Counting } = countingNode(meta, (_, load) => loading[load - 1]?.promise ?? "new");
    const reads = [cacheme.get(new Counting(1)), cacheme.get(new Counting(2))];
    await settled();
    await cacheme.registerStorage("local", another(), { replace: true });
    loading[0]?.resolve("first");
    await settled();
    await cacheme.invalidate(new Counting(2));
    loading[1]?.resolve("old");
    expect(await Promise.all(reads)).toEqual(["first", "old"]);
    expect(await cacheme.get(new Counting(2))).toBe("new");
  });

  it("gives no reader an older value than a refresh that waited for its place", async () => {
    const { cacheme } = await space();
    const loading = deferred<string>();
    const meta = { caches: twoTiers, concurrency: 1 };
    const { Counting } = countingNode(meta, (id) => (id === 1 ? loading.promise : "new"));
    await cacheme.set(new Counting(2), "old");
    const first = cacheme.get(new Counting(1));
    await settled();
    const refreshed = cacheme.refresh(new Counting(2));
    await settled();
    await cacheme.registerStorage("local", another(), { replace: true });
    loading.resolve("first");
    expect(await first).toBe("first");
    expect(await refreshed).toBe("new");
    await settled();
    expect(await cacheme.get(new Counting(2))).toBe("new");
  });

  it("does not trust a tier that an invalidation did not reach", async () => {
    const { cacheme, remote } = await space();
    let source = "old";
    const { Counting } = countingNode({ caches: twoTiers }, () => source);
    await cacheme.get(new Counting(1));
    source = "new";
    remote.gate = (operation) => {
      if (operation === "remove") throw new Error("down");
    };
    await expect(cacheme.invalidate(new Counting(1))).rejects.toMatchObject({ storages: ["remote"] });
    await cacheme.registerStorage("local", another(), { replace: true });
    expect(await cacheme.get(new Counting(1))).toBe("new");
  });

  it("gives no reader an older value than a set that it interrupted", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, () => "new");
    await cacheme.set(new Counting(1), "old");
    const setting = cacheme.set(new Counting(1), "new");
    await cacheme.registerStorage("local", another(), { replace: true });
    await setting;
    expect(await cacheme.get(new Counting(1))).toBe("new");
  });

  it("fills no local tier with a value that is being removed", async () => {
    const { cacheme, remote } = await space();
    let source = "old";
    const { Counting } = countingNode({ caches: twoTiers }, () => source);
    await cacheme.get(new Counting(1));
    source = "new";
    const [removing, reading] = [deferred(), deferred()];
    remote.gate = (operation, moment) => {
      if (operation === "remove" && moment === "request") return removing.promise;
      return operation === "read" && moment === "answer" ? reading.promise : undefined;
    };
    const invalidated = cacheme.invalidate(new Counting(1));
    await settled();
    await cacheme.registerStorage("local", another(), { replace: true });
    const read = cacheme.get(new Counting(1));
    await settled();
    removing.resolve();
    await invalidated;
    reading.resolve();
    await read;
    expect(await cacheme.get(new Counting(1))).toBe("new");
  });
});
