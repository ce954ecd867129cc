import { describe, expect, it } from "vitest";
import {
  Cacheme,
  defineNode,
  type LocalStorage,
  memory,
  type NodeMeta,
  nullStorage,
} from "../../src/index.js";
import { reason } from "../support/reason.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode, type Space, space, taggedSpace } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

const second = 1000;
const local: NodeMeta["caches"] = [{ storage: "local" }];
const remote: NodeMeta["caches"] = [{ storage: "remote" }];
const both: NodeMeta["caches"] = [{ storage: "local" }, { storage: "remote" }];

function session(meta: NodeMeta) {
  return countingNode({ name: "session", idle: "10s", ...meta }, (id, load) => `${id}, load ${load}`);
}

/** Lets the requests of the tick be answered. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function readEach(
  { cacheme, clock }: Space,
  node: Parameters<Cacheme["get"]>[0],
  times: number,
  step: number,
) {
  const values: unknown[] = [];
  for (let round = 0; round < times; round++) {
    clock.advance(step);
    values.push(await cacheme.get(node));
    await settled();
  }
  return new Set(values).size;
}

describe.each([
  ["a local tier", local],
  ["a remote tier", remote],
  ["a local and a remote tier", both],
] as const)("the option idle of a class with %s", (_, caches) => {
  it("keeps a value as long as it is read, and drops it when it is not", async () => {
    const all = await space();
    const { Counting, loads } = session({ caches });
    const node = new Counting(1);
    await all.cacheme.get(node);
    // Each read comes just within the idle time of the read before.
    expect(await readEach(all, node, 20, 9.99 * second)).toBe(1);
    expect(await readEach(all, node, 300, 0.3 * second)).toBe(1);
    all.clock.advance(10 * second);
    await all.cacheme.get(node);
    await settled();
    expect(loads).toEqual([1]);
    all.clock.advance(12 * second + 1);
    await all.cacheme.get(node);
    expect(loads).toEqual([1, 1]);
  });

  it("is bounded by the ttl, which no read restarts", async () => {
    const all = await space();
    const { Counting, loads } = session({ caches, ttl: "30s" });
    const node = new Counting(1);
    await all.cacheme.get(node);
    expect(await readEach(all, node, 5, 5.9 * second)).toBe(1);
    all.clock.advance(0.6 * second);
    await all.cacheme.get(node);
    expect(loads).toEqual([1, 1]);
  });

  it("touches a node without reading it, and tells whether it is there", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = session({ caches });
    const node = new Counting(1);
    expect(await cacheme.touch(node)).toBe(false);
    await cacheme.get(node);
    for (let round = 0; round < 5; round++) {
      clock.advance(9 * second);
      expect(await cacheme.touch(node)).toBe(true);
    }
    clock.advance(9 * second);
    await cacheme.get(node);
    expect(loads).toEqual([1]);
    clock.advance(12 * second + 1);
    expect(await cacheme.touch(node)).toBe(false);
    await cacheme.set(node, "set");
    expect(await cacheme.touch(node)).toBe(true);
    await cacheme.invalidate(node);
    expect(await cacheme.touch(node)).toBe(false);
    expect(await cacheme.peek(node)).toBeUndefined();
  });
});

describe.each([
  ["a remote tier", remote],
  ["a local and a remote tier", both],
] as const)("a touch in %s", (_, caches) => {
  it("finds no expired value, and does not keep it", async () => {
    const { cacheme, clock, remote: storage } = await space();
    const { Counting } = session({ caches, ttl: "30s" });
    const node = new Counting(1);
    await cacheme.get(node);
    const answers: boolean[] = [];
    for (let round = 0; round < 6; round++) {
      clock.advance(9 * second);
      answers.push(await cacheme.touch(node));
    }
    expect(answers).toEqual([true, true, true, false, false, false]);
    expect(Math.max(...Array.from(storage.records.values(), ({ until }) => until))).toBeLessThan(clock.now());
  });

  it("finds a stale value that a read would return", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = session({ caches, ttl: "5s", staleWhileRevalidate: "10s" });
    const node = new Counting(1);
    await cacheme.get(node);
    clock.advance(9 * second);
    expect(await cacheme.touch(node)).toBe(true);
    clock.advance(7 * second);
    expect(await cacheme.touch(node)).toBe(false);
  });

  it.each(["own", "told"])("finds no value of an invalidated tag (%s)", async (kind) => {
    const { cacheme, clock, process } = await taggedSpace();
    const node = defineNode({
      name: "tagged",
      key: (id: number) => `${id}`,
      tags: () => (kind === "own" ? ["team:7", "all"] : []),
      load: (id: number, { tag }) => {
        if (kind === "told") tag("team:7", "all");
        return id;
      },
      caches,
      idle: "10s",
    });
    // The first load makes the generations of told tags, and the second one is stored.
    for (let load = 0; load < 2; load++) {
      await cacheme.refresh(node(1));
      clock.advance(second);
    }
    const other = await process();
    expect(await other.touch(node(1))).toBe(true);
    await cacheme.invalidateTags("team:7");
    expect(await cacheme.touch(node(1))).toBe(false);
    expect(await (await process()).touch(node(1))).toBe(false);
  });

  it("finds no error that is kept", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ name: "failing", caches, idle: "10s", errorTtl: "15s" }, () => {
      throw new Error("down");
    });
    await reason(cacheme.get(new Counting(1)));
    expect(await cacheme.touch(new Counting(1))).toBe(false);
  });

  it("rejects if it is not known whether there is a value", async () => {
    const { cacheme, clock, remote: storage } = await space();
    const { Counting } = session({ caches });
    storage.gate = () => {
      throw new Error("down");
    };
    clock.advance(second);
    expect(await reason(cacheme.touch(new Counting(1)))).toMatchObject({ message: /down/ });
  });
});

describe("the option idle", () => {
  it("costs no reader an error if a local tier cannot keep a value any more", async () => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    const weigher = (value: unknown) => (value as string[]).length / 2;
    await cacheme.registerStorage("local", memory({ maxWeight: 10, weigher, values: "shared" }));
    const { Counting, loads } = countingNode<string[]>({ name: "grows", caches: local, idle: "10s" }, () => [
      "a",
      "b",
    ]);
    (await cacheme.get(new Counting(1))).push("c");
    clock.advance(5 * second);
    expect(await cacheme.get(new Counting(1))).toHaveLength(3);
    expect(await cacheme.get(new Counting(1))).toHaveLength(2);
    expect(loads).toEqual([1, 1]);
  });

  it("gathers the touches of a tick, and sends one per key and tenth of the time", async () => {
    const { cacheme, clock, remote: storage } = await space();
    const { Counting } = session({ caches: remote });
    const nodes = [1, 2, 3].map((id) => new Counting(id));
    await cacheme.getAll(nodes);
    await cacheme.getAll(nodes);
    await settled();
    expect(storage.count("touch")).toBe(0);
    clock.advance(second);
    await Promise.all(nodes.map((node) => cacheme.get(node)));
    await cacheme.getAll(nodes);
    await settled();
    expect(storage.count("touch")).toBe(1);
    expect(storage.calls.findLast(({ operation }) => operation === "touch")?.keys).toHaveLength(3);
    expect(storage.count("write")).toBe(1);
  });

  it("keeps the remote entry alive by local hits, which send nothing else", async () => {
    const all = await space();
    const { Counting, loads } = session({ caches: both });
    const node = new Counting(1);
    await all.cacheme.get(node);
    const reads = all.remote.count("read");
    await readEach(all, node, 100, 0.5 * second);
    expect(all.remote.count("read")).toBe(reads);
    expect(all.remote.count("touch")).toBeLessThanOrEqual(50);
    await all.cacheme.clear();
    await all.cacheme.get(node);
    expect(loads).toEqual([1]);
  });

  it("still tells the remote tier of local hits after a clock was set back", async () => {
    const { cacheme, clock, remote: storage } = await space();
    const { Counting } = session({ caches: both });
    await cacheme.get(new Counting(1));
    clock.advance(-3_600 * second);
    await cacheme.get(new Counting(1));
    await settled();
    expect(storage.count("touch")).toBe(1);
  });

  it("answers the reader before it sends the touch, and whatever becomes of that", async () => {
    const { cacheme, clock, remote: storage } = await space();
    const { Counting } = session({ caches: remote });
    await cacheme.get(new Counting(1));
    clock.advance(2 * second);
    storage.gate = (operation) => {
      if (operation === "touch") throw new Error("no touch");
    };
    const errors: unknown[] = [];
    cacheme.on("storageError", ({ operation }) => errors.push(operation));
    expect(await cacheme.get(new Counting(1))).toBe("1, load 1");
    await settled();
    expect(errors).toEqual(["touch"]);
    expect(cacheme.storages().find(({ name }) => name === "remote")?.failureCount).toBe(1);
    expect(await reason(cacheme.touch(new Counting(1)))).toMatchObject({ message: /no touch/ });
    storage.gate = () => {};
    // The failed touch does not count, so the next read sends another one.
    await cacheme.get(new Counting(1));
    await settled();
    expect(storage.count("touch")).toBe(3);
  });

  it("brings no invalidated entry back, and extends no entry of another class's time", async () => {
    const { cacheme, clock, remote: storage } = await space();
    const { Counting } = session({ caches: both });
    const node = new Counting(1);
    await cacheme.get(node);
    clock.advance(2 * second);
    await Promise.all([cacheme.get(node), cacheme.invalidate(node), cacheme.touch(node)]);
    await settled();
    expect(storage.records.size).toBe(0);
    expect(await cacheme.peek(node)).toBeUndefined();
  });

  it("does not touch a key in a tier that owes a removal", async () => {
    const { cacheme, clock, remote: storage } = await space();
    const { Counting } = session({ caches: both });
    const node = new Counting(1);
    await cacheme.get(node);
    storage.gate = (operation) => {
      if (operation === "remove") throw new Error("down");
    };
    await reason(cacheme.invalidate(node));
    clock.advance(2 * second);
    expect(await cacheme.touch(node)).toBe(false);
    expect(storage.count("touch")).toBe(0);
  });

  it("keeps errors for their own time only", async () => {
    const { cacheme, clock } = await space();
    let loads = 0;
    const { Counting } = countingNode({ name: "failing", caches: both, idle: "10s", errorTtl: "15s" }, () => {
      loads++;
      throw new Error("down");
    });
    for (let round = 0; round < 3; round++) {
      await reason(cacheme.get(new Counting(1)));
      clock.advance(7 * second);
    }
    expect(loads).toBe(1);
    await reason(cacheme.get(new Counting(1)));
    expect(loads).toBe(2);
  });

  it("ends the time in which a stale value is returned, too", async () => {
    const { cacheme, clock } = await space();
    let isDown = false;
    const { Counting } = countingNode<string>(
      { name: "stale", caches: local, ttl: "5s", idle: "10s", staleIfError: "1h" },
      () => {
        if (isDown) throw new Error("down");
        return "value";
      },
    );
    await cacheme.get(new Counting(1));
    isDown = true;
    clock.advance(9 * second);
    expect(await cacheme.get(new Counting(1))).toBe("value");
    clock.advance(13 * second);
    expect(await reason(cacheme.get(new Counting(1)))).toMatchObject({ message: "down" });
  });

  it("gives each reader of a cloning storage its own copy, and lives as long", async () => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    await cacheme.registerStorage("local", memory({ values: "cloned" }));
    const { Counting, loads } = countingNode({ name: "copies", caches: local, idle: "10s" }, () => ({
      a: 1,
    }));
    for (let round = 0; round < 10; round++) {
      await cacheme.get(new Counting(1));
      clock.advance(9 * second);
    }
    expect(loads).toEqual([1]);
  });

  it("shows an entry that was not read for too long as expired", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = session({ caches: local });
    await cacheme.get(new Counting(1));
    clock.advance(13 * second);
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
    expect((await cacheme.explain(new Counting(1))).tiers[0]?.verdict).not.toBe("fresh");
  });

  it("keeps a null storage out of the way", async () => {
    const cacheme = new Cacheme({ clock: new VirtualClock() });
    await cacheme.registerStorage("local", nullStorage());
    const { Counting, loads } = session({ caches: local });
    await cacheme.get(new Counting(1));
    await cacheme.get(new Counting(1));
    expect(loads).toEqual([1, 1]);
  });
});

describe("a refused idle", () => {
  it("names the storage that cannot keep an entry for longer", async () => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    const storage = new SimulatedRemote(clock);
    Object.assign(storage, { touchMany: undefined, lacks: { touchMany: "It only rewrites." } });
    await cacheme.registerStorage("remote", storage);
    const plain: LocalStorage = { ...nullStorage(), label: "plain", touch: undefined! };
    await cacheme.registerStorage("local", plain);
    expect(await reason(cacheme.get(new (session({ caches: remote }).Counting)(1)))).toMatchObject({
      code: "CACHEME_NOT_OFFERED",
      node: "session",
      storage: "remote",
      message: expect.stringMatching(
        /idle of node "session".*"remote" \(simulated\) cannot: It only rewrites\./,
      ),
    });
    const own = session({ name: "own", caches: local }).Counting;
    expect(await reason(cacheme.get(new own(1)))).toMatchObject({
      code: "CACHEME_NOT_OFFERED",
      storage: "local",
    });
  });

  it.each([[0], ["0s"], [-1], ["soon"], [null], [{}]])("refuses %j", async (idle) => {
    const { cacheme } = await space();
    const { Counting } = session({ caches: local, idle: idle as never });
    const error = await reason(cacheme.get(new Counting(1)));
    expect(["CACHEME_INVALID_META", "CACHEME_INVALID_DURATION"]).toContain((error as { code?: string }).code);
  });

  it("is that of a touch for a class without it", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: local, ttl: "1m" }, () => 1);
    expect(await reason(cacheme.touch(new Counting(1)))).toMatchObject({
      code: "CACHEME_NOT_IDLE",
      node: "counting",
      key: "1",
    });
  });
});
