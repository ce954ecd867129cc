import { describe, expect, it } from "vitest";
import { Cacheme } from "../../src/index.js";
import * as advancing from "../support/advancing.js";
import { deferred, settled } from "../support/deferred.js";
import { LeasedRemote } from "../support/leased-remote.js";
import { twoTiers as caches, countingNode } from "../support/space.js";
import { twoProcesses } from "../support/two-processes.js";
import { VirtualClock } from "../support/virtual-clock.js";

/** Advances the time in short steps until the promise has settled. */
function within<T>(clock: VirtualClock, ms: number, promise: Promise<T>): Promise<T> {
  return advancing.within(clock, ms, promise, 5);
}

/**
 * One process loads a key until the gate is resolved, and the other one has asked for it too.
 *
 * @param lease the length of the first one's leases
 */
async function oneLoads(lease?: "1s") {
  const processes = await twoProcesses();
  const gate = deferred<string>();
  const first = countingNode<string>({ caches, lease }, () => gate.promise);
  const second = countingNode<string>({ caches, lease: lease && "30s" }, () => "loaded by the other");
  const loading = processes.one.cacheme.get(new first.Counting(1));
  await settled();
  const waiting = processes.other.cacheme.get(new second.Counting(1));
  await settled();
  const { clock } = processes;
  /** Ends the load. Both readers get its value, and the second process loads nothing. */
  const ends = async (value: string) => {
    gate.resolve(value);
    expect(await within(clock, 100, loading)).toBe(value);
    expect(await within(clock, 300, waiting)).toBe(value);
    expect(second.loads).toEqual([]);
  };
  return { ...processes, gate, second, loading, waiting, ends };
}

describe("a read of a storage with leases", () => {
  it("loads once for all processes: the others wait for the value", async () => {
    const { clock, other, second, ends } = await oneLoads();
    clock.advance(500);
    await settled();
    await ends("loaded once");
    expect(other.cacheme.peekLocal(new second.Counting(1))?.value).toBe("loaded once");
  });

  it("costs a round trip to read, one to acquire and one to fill", async () => {
    const { one } = await twoProcesses();
    const { Counting } = countingNode<string>({ caches }, () => "loaded");
    await one.cacheme.getAll([new Counting(1), new Counting(2), new Counting(3)]);
    expect(one.remote.calls.map(({ operation }) => operation)).toEqual(["time", "read", "acquire", "fill"]);
  });

  it("costs a round trip to read and one to write without leases", async () => {
    const { one } = await twoProcesses();
    const { Counting } = countingNode<string>({ caches, lease: false }, () => "loaded");
    await one.cacheme.get(new Counting(1));
    expect(one.remote.calls.map(({ operation }) => operation)).toEqual(["time", "read", "write"]);
  });

  it("gives the lease to another process when the load fails", async () => {
    const { clock, other, gate, second, loading: failing, waiting } = await oneLoads();
    gate.reject(new Error("the source is down"));
    await expect(failing).rejects.toThrow("the source is down");
    expect(await within(clock, 300, waiting)).toBe("loaded by the other");
    expect(other.cacheme.peekLocal(new second.Counting(1))?.value).toBe("loaded by the other");
  });

  it("frees the key after the lease when the holder has crashed", async () => {
    const { clock, server, other } = await twoProcesses();
    const { Counting, loads } = countingNode<string>({ caches, lease: "2s" }, () => "loaded");
    server.held.set("cacheme:counting:1:1", { token: "of a crashed process", until: clock.now() + 1_000 });
    const waiting = other.cacheme.get(new Counting(1));
    await within(clock, 1_300, waiting);
    expect(loads).toEqual([1]);
    expect(server.records.size).toBe(1);
  });

  it("loads without storing after it has waited for the length of a lease", async () => {
    const { clock, server, other } = await twoProcesses();
    const { Counting, loads } = countingNode<string>({ caches, lease: "1s" }, () => "loaded");
    server.held.set("cacheme:counting:1:1", { token: "of a slow process", until: Number.POSITIVE_INFINITY });
    expect(await within(clock, 1_100, other.cacheme.get(new Counting(1)))).toBe("loaded");
    expect(loads).toEqual([1]);
    expect(server.records.size).toBe(0);
    expect(other.cacheme.peekLocal(new Counting(1))).toBeUndefined();
  });

  it("keeps its lease while the load runs", async () => {
    const { clock, one, ends } = await oneLoads("1s");
    for (let passed = 0; passed < 5_000; passed += 100) {
      clock.advance(100);
      await settled();
    }
    await ends("loaded slowly");
    expect(one.remote.count("extend")).toBeGreaterThan(3);
  });

  it("does not store a value whose key another process has invalidated during the load", async () => {
    const { clock, server, one, other } = await twoProcesses();
    const gate = deferred<string>();
    const { Counting, loads } = countingNode<string>({ caches }, (_, load) =>
      load === 1 ? gate.promise : "new",
    );
    const loading = one.cacheme.get(new Counting(1));
    await settled();
    await other.cacheme.invalidate(new Counting(1));
    const late = one.cacheme.get(new Counting(1)); // Joins the load, and begins after the invalidation.
    gate.resolve("old");
    expect(await within(clock, 100, loading)).toBe("old");
    expect(await within(clock, 300, late)).toBe("new");
    expect(await within(clock, 300, one.cacheme.get(new Counting(1)))).toBe("new");
    expect(loads).toHaveLength(2);
    expect(server.records.size).toBe(1);
  });

  it("reads again for a flight that follows a load which another process has overtaken", async () => {
    const { clock, one, other } = await twoProcesses();
    const gate = deferred<string>();
    const { Counting } = countingNode<string>({ caches }, (_, load) => (load === 1 ? gate.promise : "new"));
    const refreshing = one.cacheme.refresh(new Counting(1));
    await settled();
    await other.cacheme.invalidate(new Counting(1));
    const late = one.cacheme.get(new Counting(1)); // Follows the refresh.
    await settled();
    gate.resolve("old");
    expect(await within(clock, 100, refreshing)).toBe("old");
    expect(await within(clock, 300, late)).toBe("new");
  });

  it("keeps no older value that was read while the fill of a refresh was refused", async () => {
    const { clock, one, other } = await twoProcesses();
    const stolen = deferred<string>();
    const first = countingNode<string>({ caches }, () => "refreshed");
    const second = countingNode<string>({ caches }, (_, load) => (load === 1 ? "stored" : stolen.promise));
    await other.cacheme.get(new second.Counting(1));
    const [filling, reading] = [deferred(), deferred()];
    one.remote.gate = (operation, moment) => {
      if (operation === "fill" && moment === "request") return filling.promise;
      return operation === "read" && moment === "answer" ? reading.promise : undefined;
    };
    const refreshing = one.cacheme.refresh(new first.Counting(1));
    await settled();
    const stealing = other.cacheme.refresh(new second.Counting(1));
    await settled();
    const older = one.cacheme.get(new first.Counting(1));
    await settled();
    filling.resolve();
    expect(await within(clock, 100, refreshing)).toBe("refreshed");
    reading.resolve();
    await within(clock, 2_000, older);
    expect(one.cacheme.peekLocal(new first.Counting(1))?.value).not.toBe("stored");
    stolen.resolve("refreshed by the other");
    await within(clock, 100, stealing);
  });

  it("removes what a refresh replaces and does not store, also if it has lost its lease", async () => {
    const { clock, one, other } = await twoProcesses();
    const stolen = deferred<string>();
    const gate = deferred();
    const { Counting } = countingNode<string>({ caches }, (_, load) =>
      load === 1 ? "stored" : stolen.promise,
    );
    await other.cacheme.get(new Counting(1));
    const refreshing = one.cacheme.refresh(new Counting(1), {
      load: async (context) => {
        await gate.promise;
        context.skip();
        return "refreshed";
      },
    });
    await settled();
    const stealing = other.cacheme.refresh(new Counting(1));
    await settled();
    gate.resolve();
    expect(await within(clock, 100, refreshing)).toBe("refreshed");
    const later = one.cacheme.get(new Counting(1));
    await settled();
    stolen.resolve("refreshed by the other");
    expect(await within(clock, 300, later)).toBe("refreshed by the other");
    await within(clock, 100, stealing);
  });

  it("does not undo an invalidation by a write that arrives late", async () => {
    const { clock, server, one, other } = await twoProcesses();
    const { Counting } = countingNode<string>({ caches }, () => "loaded");
    const gate = deferred();
    one.remote.gate = (operation, moment) =>
      operation === "fill" && moment === "request" ? gate.promise : undefined;
    const setting = one.cacheme.set(new Counting(1), "set");
    await settled();
    await other.cacheme.invalidate(new Counting(1));
    gate.resolve();
    await within(clock, 100, setting);
    expect(server.records.size).toBe(0);
    expect(one.cacheme.peekLocal(new Counting(1))).toBeUndefined();
  });

  it("gives its leases back when the space is closed", async () => {
    const { clock, one, gate, loading, waiting } = await oneLoads();
    await one.cacheme.close();
    expect(await within(clock, 300, waiting)).toBe("loaded by the other");
    gate.resolve("not stored");
    expect(await loading).toBe("not stored");
  });

  it("goes on without the lease while the storage is in trouble", async () => {
    const { server, one } = await twoProcesses();
    const { Counting } = countingNode<string>({ caches }, () => "loaded");
    one.remote.gate = () => {
      throw new Error("the server is down");
    };
    expect(await one.cacheme.get(new Counting(1))).toBe("loaded");
    expect(one.cacheme.peekLocal(new Counting(1))?.value).toBe("loaded");
    expect(server.records.size).toBe(0);
  });

  it("stops waiting when a value is set in this process", async () => {
    const { clock, server, one } = await twoProcesses();
    const { Counting, loads } = countingNode<string>({ caches }, () => "loaded");
    server.held.set("cacheme:counting:1:1", { token: "of another process", until: Number.POSITIVE_INFINITY });
    const waiting = one.cacheme.get(new Counting(1));
    await settled();
    await one.cacheme.set(new Counting(1), "set");
    expect(await within(clock, 20, waiting)).toBe("set");
    expect(loads).toEqual([]);
  });

  it("takes the lease of another load for a refresh", async () => {
    const { clock, one, other } = await twoProcesses();
    const gate = deferred<string>();
    const first = countingNode<string>({ caches }, () => gate.promise);
    const second = countingNode<string>({ caches }, () => "refreshed");
    const loading = one.cacheme.get(new first.Counting(1));
    await settled();
    expect(await other.cacheme.refresh(new second.Counting(1))).toBe("refreshed");
    gate.resolve("overtaken");
    expect(await within(clock, 100, loading)).toBe("overtaken");
    expect(await within(clock, 100, one.cacheme.get(new first.Counting(1)))).toBe("refreshed");
  });

  it("loads again if the stored bytes cannot be used", async () => {
    const { server, clock, one } = await twoProcesses();
    const { Counting } = countingNode<string>({ caches }, () => "loaded");
    server.records.set("cacheme:counting:1:1", { bytes: Buffer.from("foreign"), until: clock.now() + 1_000 });
    expect(await one.cacheme.get(new Counting(1))).toBe("loaded");
    expect(server.records.get("cacheme:counting:1:1")?.bytes.toString()).not.toBe("foreign");
  });

  it("sets no nearer tier past a farther one that did not take the value", async () => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    const [near, far] = [new LeasedRemote(clock), new LeasedRemote(clock)];
    await cacheme.registerStorage("near", near);
    await cacheme.registerStorage("far", far);
    const { Counting } = countingNode<string>(
      { caches: [{ storage: "near" }, { storage: "far" }] },
      () => "loaded",
    );
    await cacheme.set(new Counting(1), "older");
    far.gate = (operation) => {
      if (operation === "fill") throw new Error("the server is down");
    };
    await expect(cacheme.set(new Counting(1), "set")).rejects.toMatchObject({
      code: "CACHEME_WRITE_INCOMPLETE",
      storages: ["far"],
    });
    await settled();
    expect([near.records.size, far.records.size]).toEqual([0, 0]);
    expect(await cacheme.get(new Counting(1))).toBe("loaded");
  });
});
