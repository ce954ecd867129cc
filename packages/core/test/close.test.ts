import { describe, expect, it, vi } from "vitest";
import { Cacheme, memory } from "../src/index.js";
import { deferred, settled } from "./support/deferred.js";
import { hold } from "./support/hold.js";
import { loadingNode } from "./support/loading-nodes.js";
import { reason, thrownBy } from "./support/reason.js";
import { SimulatedRemote } from "./support/simulated-remote.js";
import { countingNode, localOnly, remoteOnly, space, twoTiers } from "./support/space.js";
import { VirtualClock } from "./support/virtual-clock.js";

describe("close", () => {
  it("refuses every call afterwards with advice", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    const node = new Counting(1);
    const memoized = cacheme.memoize(
      async (id: number) => id,
      (id) => new Counting(id),
    );
    await cacheme.get(node);
    await cacheme.close();
    const refused = { code: "CACHEME_CLOSED", message: expect.stringContaining("make a new Cacheme") };
    for (const promise of [
      cacheme.get(node),
      cacheme.get(node, { fresh: true }),
      cacheme.getAll([node]),
      cacheme.peek(node),
      cacheme.set(node, 2),
      cacheme.setAll([[node, 2]]),
      cacheme.invalidate(node),
      cacheme.refresh(node),
      memoized(1),
      cacheme.registerStorage("more", memory()),
    ]) {
      expect(await reason(promise)).toMatchObject(refused);
    }
    expect(thrownBy(() => cacheme.peekLocal(node))).toMatchObject(refused);
    expect(thrownBy(() => cacheme.getSync(node as never))).toMatchObject(refused);
    expect(await cacheme.getAllSettled([node])).toMatchObject([{ status: "rejected", reason: refused }]);
  });

  it("still answers for the statistics, the classes and the storages", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    await cacheme.get(new Counting(1));
    await cacheme.close();
    expect(cacheme.stats(Counting).loadCount).toBe(1);
    expect(cacheme.nodes()).toEqual([{ name: "counting", nodeClass: Counting }]);
    expect(cacheme.storages().map(({ name }) => name)).toEqual(["local", "remote"]);
  });

  it("closes every storage once, however often it is called", async () => {
    const { cacheme, remote } = await space();
    expect(cacheme.close()).toBe(cacheme.close());
    await cacheme.close();
    expect(remote.closed).toBe(1);
  });

  it("frees the memory of memory()", async () => {
    const local = memory();
    const written = vi.spyOn(local, "write");
    const cacheme = new Cacheme();
    await cacheme.registerStorage("local", local);
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    await cacheme.get(new Counting(1));
    const [space = -1] = written.mock.calls[0] ?? [];
    expect(local.peek(space, "1")?.value).toBe(1);
    await cacheme.close();
    expect(local.peek(space, "1")).toBeUndefined();
  });

  it("is called by `await using`", async () => {
    const clock = new VirtualClock();
    const remote = new SimulatedRemote(clock);
    {
      await using cacheme = new Cacheme({ clock });
      await cacheme.registerStorage("remote", remote);
      expect(remote.closed).toBe(0);
    }
    expect(remote.closed).toBe(1);
  });

  it("waits for the reads and writes under way before it closes the storage", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    const answering = deferred();
    remote.gate = (_, moment) => (moment === "answer" ? answering.promise : undefined);
    const set = cacheme.set(new Counting(1), 1);
    const closed = cacheme.close();
    await settled();
    expect(remote.closed).toBe(0);
    answering.resolve();
    await Promise.all([set, closed]);
    expect([remote.count("write"), remote.records.size, remote.closed]).toEqual([1, 1, 1]);
  });

  it("waits for a removal that waits for a write", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    const writing = deferred();
    remote.gate = (operation, moment) => {
      if (remote.closed > 0) throw new Error("The storage is closed.");
      return operation === "write" && moment === "request" ? writing.promise : undefined;
    };
    const set = cacheme.set(new Counting(1), 1);
    await settled();
    const invalidated = cacheme.invalidate(new Counting(1));
    const closed = cacheme.close();
    await settled();
    writing.resolve();
    await Promise.all([set, invalidated, closed]);
    expect([remote.records.size, remote.closed]).toEqual([0, 1]);
  });

  it("rejects a set that it kept from being stored", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    const writing = hold(remote, "write", "request");
    const first = cacheme.set(new Counting(1), 1);
    await settled();
    const second = cacheme.set(new Counting(1), 2);
    const closed = cacheme.close();
    await settled();
    writing.resolve();
    await Promise.all([first, second, closed]);
    const other = new Cacheme({ clock: new VirtualClock() });
    await other.registerStorage("remote", remote);
    expect((await other.peek(new Counting(1)))?.value).toBe(2);
  });

  it("lets a running load answer its readers, and does not store its value", async () => {
    const { cacheme, remote } = await space();
    const { loading, Counting } = loadingNode<string>({ caches: twoTiers });
    const readers = [cacheme.get(new Counting(1)), cacheme.get(new Counting(1))];
    await settled();
    await cacheme.close();
    loading.resolve("value");
    expect(await Promise.all(readers)).toEqual(["value", "value"]);
    await settled();
    expect([remote.count("write"), remote.records.size]).toEqual([0, 0]);
  });

  it("answers a reader whose remote read is under way", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (id) => `loaded ${id}`);
    const answering = hold(remote, "read", "answer");
    const read = cacheme.get(new Counting(1));
    await settled();
    const closed = cacheme.close();
    await settled();
    answering.resolve();
    expect(await read).toBe("loaded 1");
    await closed;
    expect(remote.count("write")).toBe(0);
  });

  it("closes a storage that was still being connected, and rejects its registration", async () => {
    const cacheme = new Cacheme();
    const remote = new SimulatedRemote(new VirtualClock());
    const connecting = deferred();
    Object.defineProperty(remote, "connect", { value: () => connecting.promise });
    const registered = reason(cacheme.registerStorage("remote", remote));
    const closed = cacheme.close();
    connecting.resolve();
    expect(await registered).toMatchObject({ code: "CACHEME_CLOSED" });
    await closed;
    expect(remote.closed).toBe(1);
  });

  it("closes the other storages if a local one fails to close", async () => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    const [local, remote] = [memory(), new SimulatedRemote(clock)];
    Object.defineProperty(local, "close", {
      value: () => {
        throw new Error("cannot close");
      },
    });
    await cacheme.registerStorage("local", local);
    await cacheme.registerStorage("remote", remote);
    await cacheme.close();
    expect(remote.closed).toBe(1);
  });

  it("leaves another Cacheme on the same node classes alone", async () => {
    const [closing, staying] = [await space(), await space()];
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    await closing.cacheme.get(new Counting(1));
    await staying.cacheme.get(new Counting(1));
    await closing.cacheme.close();
    expect(staying.cacheme.peekLocal(new Counting(1))?.value).toBe(1);
  });

  it("leaves nothing behind on the node classes", async () => {
    const { Counting } = countingNode({}, (id) => id);
    const before = Object.getOwnPropertySymbols(Counting.prototype);
    for (let round = 0; round < 3; round++) {
      await using cacheme = new Cacheme();
      await cacheme.get(new Counting(1));
    }
    expect(Object.getOwnPropertySymbols(Counting.prototype)).toEqual(before);
  });
});
