import { describe, expect, it } from "vitest";
import { IncompleteError } from "../../src/index.js";
import { settled } from "../support/deferred.js";
import { hold } from "../support/hold.js";
import { twoLoads } from "../support/loading-nodes.js";
import { countingNode, localOnly, space, twoTiers } from "../support/space.js";

describe("promise 2: no lost invalidation, within one process", () => {
  it("returns the new value to a read begun after invalidate resolved", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (_, load) => load);
    expect(await cacheme.get(new Counting(1))).toBe(1);
    await cacheme.invalidate(new Counting(1));
    expect(await cacheme.get(new Counting(1))).toBe(2);
  });

  it("stores nothing of a load that an invalidation overtook, and answers its readers", async () => {
    const { cacheme, remote } = await space();
    const { answers, Counting, loads } = twoLoads({ caches: twoTiers });
    const early = cacheme.get(new Counting(1));
    await settled();
    await cacheme.invalidate(new Counting(1));
    const late = cacheme.get(new Counting(1));
    await settled();
    expect(loads).toHaveLength(2);
    answers[0]!.resolve("old");
    expect(await early).toBe("old");
    expect(remote.records.size).toBe(0);
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
    answers[1]!.resolve("new");
    expect(await late).toBe("new");
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe("new");
  });

  it("removes the value of a write already under way: the removal waits for the write", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (_, load) => load);
    const writing = hold(remote, "write", "request");
    const read = cacheme.get(new Counting(1));
    await settled();
    const invalidated = cacheme.invalidate(new Counting(1));
    await settled();
    expect(remote.count("remove")).toBe(0);
    writing.resolve();
    await Promise.all([read, invalidated]);
    expect(remote.records.size).toBe(0);
    expect(await cacheme.get(new Counting(1))).toBe(2);
  });

  it("does not fill a local tier from a remote one that was read before the invalidation", async () => {
    const { cacheme, clock, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (_, load) => load);
    await cacheme.set(new Counting(1), 0);
    clock.advance(60_001); // The local entry has expired, the remote one has not.
    const answering = hold(remote, "read", "answer");
    const read = cacheme.get(new Counting(1));
    await settled();
    const invalidated = cacheme.invalidate(new Counting(1));
    await settled();
    answering.resolve();
    await invalidated;
    // The flight had not begun its load, so it began again.
    expect(await read).toBe(1);
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe(1);
  });

  it("reads no remote tier for a key whose removal is under way", async () => {
    const { cacheme, remote } = await space();
    const { Counting, loads } = countingNode({ caches: twoTiers }, (_, load) => `loaded ${load}`);
    await cacheme.set(new Counting(1), "old");
    const removing = hold(remote, "remove", "request");
    const invalidated = cacheme.invalidate(new Counting(1));
    await settled();
    const read = cacheme.get(new Counting(1));
    await settled();
    expect(loads).toEqual([1]);
    removing.resolve();
    await invalidated;
    expect(await read).toBe("loaded 1");
  });

  it("drops local entries at once, before it resolves", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    await cacheme.get(new Counting(1));
    const invalidated = cacheme.invalidate(new Counting(1));
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
    await invalidated;
  });

  it("lets the later of a set and an invalidation win, whichever it is", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, () => "loaded");
    await Promise.all([cacheme.set(new Counting(1), "set"), cacheme.invalidate(new Counting(1))]);
    expect([remote.records.size, cacheme.peekLocal(new Counting(1))]).toEqual([0, undefined]);
    await Promise.all([cacheme.invalidate(new Counting(1)), cacheme.set(new Counting(1), "set")]);
    expect((await cacheme.peek(new Counting(1)))?.value).toBe("set");
    await Promise.all([cacheme.set(new Counting(1), "first"), cacheme.set(new Counting(1), "second")]);
    expect((await cacheme.peek(new Counting(1)))?.value).toBe("second");
  });

  it("rejects with the names of the storages that it could not reach, and does the rest", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (_, load) => load);
    await cacheme.get(new Counting(1));
    remote.gate = (operation) => {
      if (operation === "remove") throw new Error("the server is gone");
    };
    const failure = await cacheme.invalidate(new Counting(1)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(IncompleteError);
    expect(failure).toMatchObject({
      code: "CACHEME_INVALIDATION_INCOMPLETE",
      storages: ["remote"],
      node: "counting",
      key: "1",
      message: expect.stringMatching(/counting:1 may remain in remote.*the server is gone/),
    });
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
  });

  it("reports the nodes that were removed, even if another one was not", async () => {
    const { cacheme, remote } = await space();
    const { Counting: Local } = countingNode({ name: "local", caches: localOnly }, (id) => id);
    const { Counting: Remote } = countingNode({ name: "remote", caches: twoTiers }, (id) => id);
    const told: string[] = [];
    cacheme.on("invalidate", ({ node, key }) => told.push(`${node}:${key}`));
    remote.gate = () => {
      throw new Error("down");
    };
    const failure = await cacheme.invalidate(new Local(1), new Remote(1)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringContaining("down. The other tiers are done.") });
    expect(told).toEqual(["local:1"]);
  });

  it("gives no error of an older load to a reader that asks after the invalidation", async () => {
    const { cacheme } = await space();
    const { answers, Counting } = twoLoads({ caches: localOnly });
    const refresh = expect(cacheme.refresh(new Counting(1))).rejects.toThrow("before");
    await settled();
    const follower = cacheme.get(new Counting(1));
    await settled();
    await cacheme.invalidate(new Counting(1));
    const after = cacheme.get(new Counting(1));
    answers[0]!.reject(new Error("before"));
    await refresh;
    answers[1]!.resolve("after");
    expect(await Promise.all([follower, after])).toEqual(["after", "after"]);
  });

  it("gives no error of an older load to readers that joined it, if both end in one tick", async () => {
    const { cacheme } = await space();
    const { answers, Counting } = twoLoads({ caches: twoTiers });
    const early = expect(cacheme.get(new Counting(1))).rejects.toThrow("before");
    await settled();
    const late = cacheme.get(new Counting(1));
    const strict = cacheme.get(new Counting(1), { maxAge: 1_000 });
    const invalidated = cacheme.invalidate(new Counting(1));
    answers[0]!.reject(new Error("before"));
    await Promise.all([early, invalidated]);
    answers[1]!.resolve("after");
    expect(await Promise.all([late, strict])).toEqual(["after", "after"]);
    expect(cacheme.stats(Counting)).toMatchObject({ requestCount: 3, missCount: 3, loadCount: 2 });
  });
});
