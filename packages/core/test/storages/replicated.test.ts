import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BatchError, type RemoteStorage, replicated } from "../../src/index.js";
import { reason, thrownBy } from "../support/reason.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { VirtualClock } from "../support/virtual-clock.js";

vi.mock("../../src/timers.js", () => import("../support/global-timers.js"));
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A storage that has failed is tried last for a while. */
const rest = () => vi.advanceTimersByTime(3000);

function two() {
  const [near, far] = [new SimulatedRemote(new VirtualClock()), new SimulatedRemote(new VirtualClock())];
  return { near, far, storage: replicated([near, far]) };
}

const down = (): never => {
  throw new Error("down");
};
const up = (): void => {};

const record = (key: string, value = key) => ({ key, bytes: Buffer.from(value), ttl: 60_000 });

async function read(storage: RemoteStorage, ...keys: string[]) {
  return (await storage.readMany(keys)).map((bytes) => bytes && Buffer.from(bytes).toString());
}

describe("a replicated storage", () => {
  it("writes and removes everywhere, and reads from the nearest", async () => {
    const { near, far, storage } = two();
    await storage.writeMany([record("a"), record("b")]);
    expect([near.records.size, far.records.size]).toEqual([2, 2]);
    expect(await read(storage, "b", "none", "a")).toEqual(["b", undefined, "a"]);
    expect([near.count("read"), far.count("read")]).toEqual([1, 0]);
    expect(await storage.removeMany(["a", "b", "c"])).toBe(2);
    expect([near.records.size, far.records.size]).toEqual([0, 0]);
  });

  it("reads from the next one while the nearest is down, without trying it each time", async () => {
    const { near, far, storage } = two();
    await storage.writeMany([record("a")]);
    near.gate = down;
    for (let round = 0; round < 5; round++) expect(await read(storage, "a")).toEqual(["a"]);
    expect(far.count("read")).toBe(5);
    expect(near.count("read")).toBe(1);
  });

  it("touches everywhere, and fails only if no storage can be reached", async () => {
    const { near, far, storage } = two();
    await storage.writeMany([record("a")]);
    const touches = ["a", "none"].map((key) => ({ key, ttl: 120_000 }));
    expect(await storage.touchMany?.(touches)).toEqual([true, false]);
    for (const { records } of [near, far]) expect(records.get("a")?.until).toBe(near.records.get("a")?.until);
    near.gate = down;
    expect(await storage.touchMany?.(touches)).toEqual([true, false]);
    expect(await storage.touchMany?.([])).toEqual([]);
    far.gate = down;
    expect(await reason(storage.touchMany!(touches))).toBeInstanceOf(Error);
    Object.assign(far, { touchMany: undefined });
    expect(storage.touchMany).toBeUndefined();
  });

  it("returns the nearest one's time, and the next one's while the nearest is down", async () => {
    const { near, far, storage } = two();
    far.skew = 3_600_000;
    const [here, there] = [await near.time(), await far.time()];
    expect(there - here).toBe(3_600_000);
    expect(await storage.time()).toBe(here);
    near.gate = down;
    expect(await storage.time()).toBe(there);
    far.gate = down;
    expect(await reason(storage.time())).toMatchObject({ message: "down" });
    await storage.close();
    expect(await reason(storage.time())).toMatchObject({ code: "CACHEME_CLOSED" });
  });

  it("rejects if all are down", async () => {
    const { near, far, storage } = two();
    near.gate = down;
    far.gate = down;
    expect(await reason(storage.readMany(["a"]))).toMatchObject({ message: "down" });
  });

  it("reports a removal that did not reach all, and never reads the key from the storage that missed it", async () => {
    const { near, far, storage } = two();
    await storage.writeMany([record("a"), record("b")]);
    near.gate = (operation) => (operation === "remove" ? down() : up());
    const error = await reason(storage.removeMany(["a"]));
    expect(error).toBeInstanceOf(BatchError);
    expect([...(error as BatchError).keys]).toEqual(["a"]);
    expect(await read(storage, "a")).toEqual([undefined]);
    expect(near.records.has("a")).toBe(true);
    near.gate = up;
    rest();
    expect(await read(storage, "b")).toEqual(["b"]);
    expect(near.records.has("a")).toBe(false);
    expect(far.records.has("b")).toBe(true);
  });

  it("never reads an old value from a storage that missed a write", async () => {
    const { near, storage } = two();
    await storage.writeMany([record("a", "old")]);
    near.gate = (operation) => (operation === "read" ? up() : down());
    expect(await reason(storage.writeMany([record("a", "new")]))).toBeInstanceOf(BatchError);
    expect(await read(storage, "a")).toEqual(["new"]);
    near.gate = up;
    rest();
    expect([undefined, "new"]).toContain((await read(storage, "a"))[0]);
    await storage.writeMany([record("a", "newest")]);
    expect(await read(storage, "a")).toEqual(["newest"]);
  });

  it("connects and closes all, answers a ping while one is up, and refuses invalid arguments", async () => {
    const { near, far, storage } = two();
    await storage.connect();
    expect([near.connected, far.connected]).toEqual([1, 1]);
    Object.defineProperty(near, "ping", { value: async () => down() });
    await storage.ping();
    await storage.close();
    expect([near.closed, far.closed]).toEqual([1, 1]);
    expect(await reason(storage.readMany(["a"]))).toMatchObject({ code: "CACHEME_CLOSED" });
    expect(thrownBy(() => replicated([]))).toMatchObject({ code: "CACHEME_INVALID_OPTION" });
    expect(thrownBy(() => replicated([{} as RemoteStorage]))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
    expect(storage.lacks?.leases).toMatch(/copy/);
  });
});
