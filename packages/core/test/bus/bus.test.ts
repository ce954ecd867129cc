import { describe, expect, it, onTestFinished } from "vitest";
import { MessageWriter } from "../../src/bus/message.js";
import {
  Cacheme,
  type CachemeEvents,
  memory,
  memoryBus,
  type NodeMeta,
  type RegisterBusOptions,
} from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { hold } from "../support/hold.js";
import { LeasedRemote } from "../support/leased-remote.js";
import { ScriptedBus } from "../support/scripted-bus.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode, localOnly, remoteOnly, twoTiers } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

interface Process {
  readonly cacheme: Cacheme;
  readonly remote: SimulatedRemote;
  /** The reasons of the drops. */
  readonly drops: string[];
  readonly states: string[];
  readonly errors: CachemeEvents["busError"][];
}

/** Two spaces that stand for two processes on one server and one bus. */
async function twoProcesses(options?: RegisterBusOptions) {
  const clock = new VirtualClock();
  const bus = memoryBus();
  const first = new SimulatedRemote(clock);
  const one = await process(clock, first);
  const other = await process(clock, new SimulatedRemote(clock, first));
  await one.cacheme.registerBus(bus, options);
  await settled(); // The hello of `one` leaves before `other` listens.
  await other.cacheme.registerBus(bus, options);
  await settled();
  return { clock, bus, one, other };
}

async function process(clock: VirtualClock, remote: SimulatedRemote): Promise<Process> {
  const cacheme = new Cacheme({ clock });
  onTestFinished(() => cacheme.close());
  await cacheme.registerStorage("local", memory());
  await cacheme.registerStorage("remote", remote);
  const process: Process = { cacheme, remote, drops: [], states: [], errors: [] };
  cacheme.on("busDrop", ({ reason }) => process.drops.push(reason));
  cacheme.on("busState", ({ state }) => process.states.push(state));
  cacheme.on("busError", (event) => process.errors.push(event));
  return process;
}

/** A class of which each process reads the value of one source. */
function sourceNode(meta: NodeMeta = { caches: twoTiers }) {
  const source = { value: "old" };
  return { ...countingNode<string>(meta, () => source.value), source };
}

describe("a bus between two processes", () => {
  it("drops the local entry of an invalidated key in the other process", async () => {
    const { one, other } = await twoProcesses();
    const { Counting, source } = sourceNode();
    expect(await one.cacheme.get(new Counting(1))).toBe("old");
    expect(await other.cacheme.get(new Counting(1))).toBe("old");
    await other.cacheme.get(new Counting(2));
    source.value = "new";
    await one.cacheme.invalidate(new Counting(1));
    await settled();
    expect(other.cacheme.peekLocal(new Counting(1))).toBeUndefined();
    expect(other.cacheme.peekLocal(new Counting(2))?.value).toBe("old");
    expect(await other.cacheme.get(new Counting(1))).toBe("new");
  });

  it("ignores the process's own messages", async () => {
    const { one } = await twoProcesses();
    const { Counting } = sourceNode();
    await one.cacheme.get(new Counting(1));
    const invalidated = one.cacheme.invalidate(new Counting(1));
    await one.cacheme.get(new Counting(1));
    await invalidated;
    await settled();
    expect(one.cacheme.peekLocal(new Counting(1))?.value).toBe("old");
  });

  it("fences a load of the key that runs in the other process", async () => {
    const { one, other } = await twoProcesses();
    const load = deferred<string>();
    const { Counting, loads } = countingNode<string>({ caches: localOnly }, (_, count) =>
      count === 1 ? load.promise : "new",
    );
    const early = other.cacheme.get(new Counting(1));
    await settled();
    await one.cacheme.invalidate(new Counting(1));
    await settled();
    const late = other.cacheme.get(new Counting(1));
    load.resolve("old");
    expect(await early).toBe("old");
    expect(await late).toBe("new");
    expect(other.cacheme.peekLocal(new Counting(1))?.value).toBe("new");
    expect(loads).toHaveLength(2);
  });

  it("does not keep a set from a storage with leases, because news of before come late", async () => {
    const clock = new VirtualClock();
    const bus = new ScriptedBus();
    const cacheme = new Cacheme({ clock });
    onTestFinished(() => cacheme.close());
    const remote = new LeasedRemote(clock);
    await cacheme.registerStorage("local", memory());
    await cacheme.registerStorage("remote", remote);
    await cacheme.registerBus(bus);
    const caches = [
      { storage: "local", ttl: "1m" },
      { storage: "remote", ttl: "10m" },
    ] as const;
    const { Counting } = countingNode<string>({ caches }, () => "loaded");
    await cacheme.get(new Counting(1));
    const gate = hold(remote, "acquire", "answer");
    const setting = cacheme.set(new Counting(1), "set");
    await settled();
    // Another process has invalidated the key before.
    const news = new MessageWriter("cacheme", "another").news(
      [{ busId: "counting:1", keys: ["1"] }],
      [],
      9_999,
    );
    for (const text of news) bus.receiver.message(text);
    gate.resolve();
    await setting;
    expect(await cacheme.get(new Counting(1))).toBe("set");
  });

  it("fences a remote read of the key, whose answer may be older", async () => {
    const { one, other } = await twoProcesses();
    const { Counting, source } = sourceNode();
    await one.cacheme.get(new Counting(1));
    const answer = deferred();
    other.remote.gate = (operation, moment) =>
      operation === "read" && moment === "answer" ? answer.promise : undefined;
    const read = other.cacheme.get(new Counting(1));
    await settled();
    source.value = "new";
    await one.cacheme.invalidate(new Counting(1));
    await settled();
    other.remote.gate = () => {};
    answer.resolve();
    expect(await read).toBe("new");
    expect(other.cacheme.peekLocal(new Counting(1))?.value).toBe("new");
  });

  it("announces a set and a refresh, and no plain load", async () => {
    const { one, other } = await twoProcesses();
    const { Counting, source } = sourceNode();
    const received = () => other.cacheme.busStatus()?.received;
    await one.cacheme.get(new Counting(1));
    await other.cacheme.get(new Counting(1));
    await settled();
    const before = received() ?? 0;
    await one.cacheme.get(new Counting(2));
    await settled();
    expect(received()).toBe(before);
    await one.cacheme.set(new Counting(1), "set");
    await settled();
    expect(await other.cacheme.get(new Counting(1))).toBe("set");
    source.value = "refreshed";
    await one.cacheme.refresh(new Counting(1));
    await settled();
    expect(await other.cacheme.get(new Counting(1))).toBe("refreshed");
    expect(received()).toBe(before + 2);
  });

  it("announces an invalidation that could not reach its storage", async () => {
    const { one, other } = await twoProcesses();
    const { Counting } = sourceNode();
    await other.cacheme.get(new Counting(1));
    one.remote.gate = (operation) => {
      if (operation === "remove") throw new Error("down");
    };
    await expect(one.cacheme.invalidate(new Counting(1))).rejects.toMatchObject({
      code: "CACHEME_INVALIDATION_INCOMPLETE",
    });
    await settled();
    expect(other.cacheme.peekLocal(new Counting(1))).toBeUndefined();
  });

  it("announces a removal after the storage has carried it out", async () => {
    const { one, other } = await twoProcesses();
    const { Counting } = sourceNode();
    await other.cacheme.get(new Counting(1));
    const removal = deferred();
    one.remote.gate = (operation, moment) =>
      operation === "remove" && moment === "request" ? removal.promise : undefined;
    const invalidated = one.cacheme.invalidate(new Counting(1));
    await settled();
    expect(other.cacheme.peekLocal(new Counting(1))?.value).toBe("old");
    removal.resolve();
    await invalidated;
    await settled();
    expect(other.cacheme.peekLocal(new Counting(1))).toBeUndefined();
  });

  it.each<[string, NodeMeta, boolean]>([
    ["a class with a local tier", { caches: localOnly }, true],
    ["a class with two tiers", { caches: twoTiers }, true],
    ["a class without a local tier", { caches: remoteOnly }, false],
    ["a class without a local tier that asks for it", { caches: remoteOnly, bus: true }, true],
    ["a class that is left out", { caches: twoTiers, bus: false }, false],
    ["a class without a name", { caches: localOnly, name: undefined }, false],
  ])("carries the news of %s: %j, %s", async (_, meta, carried) => {
    const { one, other } = await twoProcesses();
    const { Counting } = countingNode<number>(meta, () => 1);
    const before = other.cacheme.busStatus()?.received ?? 0;
    await one.cacheme.invalidate(new Counting(1));
    await settled();
    expect(other.cacheme.busStatus()?.received).toBe(before + (carried ? 1 : 0));
  });

  it("keeps prefixes and versions apart", async () => {
    const { clock, bus, one, other } = await twoProcesses();
    const shop = new Cacheme({ clock, prefix: "shop" });
    onTestFinished(() => shop.close());
    await shop.registerStorage("local", memory());
    await shop.registerBus(bus);
    const { Counting } = countingNode<string>({ caches: localOnly }, () => "old");
    const newer = countingNode<string>({ caches: localOnly, version: 2 }, () => "old");
    await shop.get(new Counting(1));
    await other.cacheme.get(new newer.Counting(1));
    await one.cacheme.invalidate(new Counting(1));
    await settled();
    expect(shop.peekLocal(new Counting(1))?.value).toBe("old");
    expect(other.cacheme.peekLocal(new newer.Counting(1))?.value).toBe("old");
  });

  it("drops the entries from before its registration", async () => {
    const clock = new VirtualClock();
    const one = await process(clock, new SimulatedRemote(clock));
    const { Counting } = sourceNode();
    await one.cacheme.get(new Counting(1));
    await one.cacheme.registerBus(memoryBus());
    expect(one.cacheme.peekLocal(new Counting(1))).toBeUndefined();
    expect(one.drops).toEqual(["subscribed"]);
  });

  it("reports its state and its counts", async () => {
    const { one, other } = await twoProcesses();
    const { Counting } = sourceNode();
    await one.cacheme.invalidate(new Counting(1));
    await settled();
    expect(one.cacheme.busStatus()).toEqual({
      label: "memory bus",
      state: "subscribed",
      // A hello, an answer to the other hello, and the news.
      sent: 3,
      received: 1,
      unreadable: 0,
      drops: 1,
      processes: 1,
      failureCount: 0,
      lastError: undefined,
    });
    expect(other.cacheme.busStatus()).toMatchObject({ sent: 1, received: 2, processes: 1 });
    expect(new Cacheme().busStatus()).toBeUndefined();
  });

  it("forgets a process that says goodbye, and drops nothing", async () => {
    const { clock, one, other } = await twoProcesses();
    const { Counting } = sourceNode();
    await other.cacheme.get(new Counting(1));
    clock.advance(5_000);
    await settled();
    const drops = [...other.drops];
    await one.cacheme.close();
    await settled();
    expect(other.cacheme.busStatus()?.processes).toBe(0);
    for (let beats = 0; beats < 5; beats++) {
      clock.advance(5_000);
      await settled();
    }
    expect(other.drops).toEqual(drops);
  });
});

describe("a bus that is cut", () => {
  it("drops everything once it subscribes again, and serves nothing old then", async () => {
    const { bus, one, other } = await twoProcesses();
    const { Counting, source } = sourceNode();
    await other.cacheme.get(new Counting(1));
    bus.cut(new Error("cut"));
    source.value = "new";
    await one.cacheme.invalidate(new Counting(1));
    await settled();
    expect(await other.cacheme.get(new Counting(1))).toBe("old"); // Bounded by `ttlWhenDown`.
    bus.heal();
    expect(await other.cacheme.get(new Counting(1))).toBe("new");
    expect(other.states).toEqual(["subscribed", "lost", "subscribed"]);
    expect(one.errors).toMatchObject([
      { bus: "memory bus", operation: "publish", error: { message: "cut" } },
    ]);
    expect(one.cacheme.busStatus()).toMatchObject({ failureCount: 1, lastError: { message: "cut" } });
  });

  it("fences what runs when it subscribes again", async () => {
    const { bus, other } = await twoProcesses();
    const load = deferred<string>();
    const { Counting } = countingNode<string>({ caches: localOnly }, () => load.promise);
    bus.cut();
    const read = other.cacheme.get(new Counting(1));
    await settled();
    bus.heal();
    load.resolve("old");
    await read;
    expect(other.cacheme.peekLocal(new Counting(1))).toBeUndefined();
  });

  it("serves local entries for ttlWhenDown at most", async () => {
    const { clock, bus, other } = await twoProcesses({ ttlWhenDown: "3s" });
    const { Counting, source } = sourceNode({ caches: localOnly });
    await other.cacheme.get(new Counting(1));
    bus.cut();
    source.value = "new";
    clock.advance(2_999);
    expect(await other.cacheme.get(new Counting(1))).toBe("old");
    clock.advance(1);
    expect(await other.cacheme.get(new Counting(1))).toBe("new");
    source.value = "newer";
    clock.advance(2_999);
    expect(await other.cacheme.get(new Counting(1))).toBe("new");
    clock.advance(1);
    expect(await other.cacheme.get(new Counting(1))).toBe("newer");
    bus.heal();
    await other.cacheme.get(new Counting(1));
    clock.advance(3_000);
    expect(other.cacheme.peekLocal(new Counting(1))?.value).toBe("newer");
  });

  it.each<[string, RegisterBusOptions, NodeMeta]>([
    ["its option", { whenBusDown: "bypass" }, {}],
    ["the class's meta", {}, { whenBusDown: "bypass" }],
  ])("bypasses local tiers if %s says so", async (_, options, meta) => {
    const { bus, one, other } = await twoProcesses(options);
    const { Counting, source } = sourceNode({ caches: twoTiers, ...meta });
    await other.cacheme.get(new Counting(1));
    bus.cut();
    expect(other.cacheme.peekLocal(new Counting(1))).toBeUndefined();
    expect(await other.cacheme.get(new Counting(1))).toBe("old");
    source.value = "new";
    await one.cacheme.invalidate(new Counting(1));
    expect(await other.cacheme.get(new Counting(1))).toBe("new");
    expect(other.cacheme.peekLocal(new Counting(1))).toBeUndefined();
    bus.heal();
    await other.cacheme.get(new Counting(1));
    expect(other.cacheme.peekLocal(new Counting(1))?.value).toBe("new");
  });

  it("bounds a class without a remote tier although it bypasses others", async () => {
    const { clock, bus, other } = await twoProcesses({ whenBusDown: "bypass" });
    const { Counting } = sourceNode({ caches: localOnly });
    await other.cacheme.get(new Counting(1));
    bus.cut();
    expect(other.cacheme.peekLocal(new Counting(1))?.value).toBe("old");
    clock.advance(10_000);
    expect(other.cacheme.peekLocal(new Counting(1))).toBeUndefined();
  });
});
