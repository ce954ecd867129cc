import { beforeEach, describe, expect, it } from "vitest";
import { Cacheme, memory, Node, type NodeMeta } from "../src/index.js";
import { deferred } from "./support/deferred.js";
import { SimulatedRemote } from "./support/simulated-remote.js";
import { VirtualClock } from "./support/virtual-clock.js";

const caches = [
  { storage: "local", ttl: "1h" },
  { storage: "remote", ttl: "1h" },
] as const;

class Crowded extends Node<string> {
  static override meta: NodeMeta = { name: "crowded", caches };
  readonly id: number;
  constructor(id = 0) {
    super();
    this.id = id;
  }
  key() {
    return `${this.id}`;
  }
  override async load() {
    loads += 1;
    return `loaded ${this.id}`;
  }
}

let loads: number;
let remote: SimulatedRemote;
let cacheme: Cacheme;

/** Begins so many reads of one key. */
function crowd(readers: number): Promise<unknown>[] {
  return Array.from({ length: readers }, () => cacheme.get(new Crowded()));
}

beforeEach(async () => {
  loads = 0;
  const clock = new VirtualClock();
  remote = new SimulatedRemote(clock);
  cacheme = new Cacheme({ clock });
  await cacheme.registerStorage("local", memory());
  await cacheme.registerStorage("remote", remote);
  return () => cacheme.close();
});

describe("many readers of one key", () => {
  it("share one promise, one read and one load, and are all counted", async () => {
    const hits: number[] = [];
    cacheme.on("miss", ({ readers }) => hits.push(readers));

    const reads = crowd(100);

    expect(new Set(reads).size).toBe(1);
    expect(await reads[99]).toBe("loaded 0");
    expect([loads, remote.count("read"), hits]).toEqual([1, 1, [100]]);
    expect(cacheme.stats(Crowded)).toMatchObject({ coalescedCount: 99, missCount: 100 });
  });

  it("do not take the readers of another key in", async () => {
    const [first] = crowd(3);
    const other = cacheme.get(new Crowded(1));

    expect(await Promise.all([first, other])).toEqual(["loaded 0", "loaded 1"]);
  });

  it("do not take in a reader that comes after a set", async () => {
    const reads = crowd(3);
    const stored = cacheme.set(new Crowded(), "newer");

    expect(await cacheme.get(new Crowded())).toBe("newer");
    await stored;
    expect(await Promise.all(reads)).toEqual(["newer", "newer", "newer"]);
  });

  it("get the value from after an invalidation, as does a reader that comes later", async () => {
    await cacheme.set(new Crowded(), "old");
    await cacheme.clear();
    let late: Promise<unknown> | undefined;
    remote.gate = async (operation, moment) => {
      if (operation !== "read" || moment !== "answer") return;
      remote.gate = () => {};
      const removed = cacheme.invalidate(new Crowded());
      late = cacheme.get(new Crowded());
      await removed;
    };

    expect(await Promise.all(crowd(3))).toEqual(["loaded 0", "loaded 0", "loaded 0"]);
    expect(await late).toBe("loaded 0");
  });

  it("are read again if they join the load that an invalidation overtakes", async () => {
    const gate = deferred();
    class Slow extends Crowded {
      static override meta: NodeMeta = { name: "slow", caches };
      override async load() {
        const value = `load ${++loads}`;
        if (loads === 1) await gate.promise;
        return value;
      }
    }
    const early = [1, 2, 3].map(() => cacheme.get(new Slow()));
    while (loads === 0) await new Promise(setImmediate);

    const removed = cacheme.invalidate(new Slow());
    const late = [1, 2, 3].map(() => cacheme.get(new Slow()));
    gate.resolve();
    await removed;

    expect(await Promise.all(early)).toEqual(["load 1", "load 1", "load 1"]);
    expect(await Promise.all(late)).toEqual(["load 2", "load 2", "load 2"]);
  });

  it("let a load depend on their node", async () => {
    const outer = deferred();
    class Outer extends Node<string> {
      static override meta: NodeMeta = {
        name: "outer",
        caches: [{ storage: "local", ttl: "1h" }],
        track: true,
      };
      key() {
        return "outer";
      }
      override async load() {
        outer.resolve();
        return `of ${await cacheme.get(new Crowded())}`;
      }
    }
    remote.gate = async (operation, moment) => {
      if (operation !== "read" || moment !== "answer" || loads > 0) return;
      await outer.promise;
    };
    const reads = crowd(3);
    const value = await cacheme.get(new Outer());
    await Promise.all(reads);

    await cacheme.invalidate(new Crowded());

    expect(value).toBe("of loaded 0");
    expect(cacheme.peekLocal(new Outer())).toBeUndefined();
  });
});
