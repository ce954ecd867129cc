import { Node, type NodeMeta } from "cacheme";
import { describe, expect, it } from "vitest";
import { SimulatedCluster } from "../../src/cluster.js";

let loads = 0;

class CountedNode extends Node<number> {
  static override meta: NodeMeta = { name: "counted", caches: [{ storage: "redis", ttl: "1m" }] };
  constructor(readonly id: number) {
    super();
  }
  key() {
    return `${this.id}`;
  }
  override load() {
    loads += 1;
    return loads;
  }
}

const operations = (cluster: SimulatedCluster) => cluster.messages.map(({ operation }) => operation);

async function started(options = {}) {
  const cluster = await SimulatedCluster.start({ remotes: ["redis"], ...options });
  const [one, other] = cluster.processes.map(({ cacheme }) => cacheme);
  return { cluster, one: one!, other: other! };
}

/** Ends the first message of an operation. */
async function end(cluster: SimulatedCluster, operation: string, how?: Parameters<typeof cluster.end>[1]) {
  await cluster.end(operations(cluster).indexOf(operation), how);
}

describe("a simulated cluster", () => {
  it("shares a server's values among its processes", async () => {
    const { cluster, one, other } = await started();
    const first = one.get(new CountedNode(1));
    await cluster.settle();
    const second = other.get(new CountedNode(1));
    await cluster.settle();
    expect(await second).toBe(await first);
    await cluster.close();
  });

  it("completes a call, with the timers that it needs", async () => {
    const { cluster, one } = await started();
    expect(await cluster.complete(one.get(new CountedNode(9)))).toBe(loads);
    const late = new Promise((resolve) => cluster.process(1).clock.schedule(() => resolve("late"), 500));
    expect(await cluster.complete(late)).toBe("late");
    await expect(cluster.complete(new Promise(() => {}))).rejects.toThrow("has not settled");
    expect(() => cluster.process(2)).toThrow("from 0 to 1");
    expect(() => cluster.server("far")).toThrow('got "far"');
    await cluster.close();
  });

  it("delivers nothing before it is said so", async () => {
    const { cluster, one } = await started();
    let isAnswered = false;
    void one.get(new CountedNode(2)).then(() => {
      isAnswered = true;
    });
    await cluster.turn();
    expect(operations(cluster)).toContain("readMany");
    await cluster.advance(1_000);
    expect(isAnswered).toBe(false);
    await cluster.settle();
    expect(isAnswered).toBe(true);
    await cluster.close();
  });

  it("carries out a request after its process has given up", async () => {
    const { cluster, one } = await started();
    const before = one.get(new CountedNode(3));
    await cluster.settle();
    await before;
    const removal = one.invalidate(new CountedNode(3));
    const rejected = expect(removal).rejects.toMatchObject({ code: "CACHEME_INVALIDATION_INCOMPLETE" });
    await cluster.turn();
    await end(cluster, "removeMany", "giveUp");
    await rejected;
    const redis = cluster.server("redis");
    expect(redis.keys()).toHaveLength(1);
    expect(cluster.messages.map(({ isAwaited }) => isAwaited)).toContain(false);
    await cluster.settle();
    expect(redis.keys()).toHaveLength(0);
    await cluster.close();
  });

  it("fails a request that gets lost, and an answer that gets lost", async () => {
    const { cluster, one } = await started();
    const storageErrors: string[] = [];
    one.on("storageError", ({ operation }) => storageErrors.push(operation));
    for (const kind of ["request", "answer"]) {
      const reading = one.get(new CountedNode(4));
      await cluster.turn();
      if (kind === "answer") await end(cluster, "readMany");
      await end(cluster, "readMany", "fail");
      await cluster.settle();
      await reading;
      const removal = one.invalidate(new CountedNode(4));
      await cluster.settle();
      await removal;
    }
    expect(storageErrors).toEqual(["read", "read"]);
    await cluster.close();
  });

  it("repeats a request", async () => {
    const { cluster, one } = await started();
    const removal = one.invalidate(new CountedNode(5));
    await cluster.turn();
    await end(cluster, "removeMany", "repeat");
    expect(operations(cluster).filter((operation) => operation === "removeMany")).toHaveLength(2);
    await cluster.settle();
    await removal;
    await cluster.close();
  });

  it("separates a process from a server until it is connected again", async () => {
    const { cluster, one, other } = await started();
    cluster.cut(0, "redis");
    const removal = expect(one.invalidate(new CountedNode(6))).rejects.toThrow();
    await cluster.turn();
    await end(cluster, "removeMany");
    await removal;
    const reading = other.get(new CountedNode(6));
    for (let round = 0; round < 20; round++) {
      cluster.network.endWhere("arrive", ({ process }) => process === 1);
      await cluster.turn();
    }
    await reading;
    cluster.reconnect();
    await cluster.settle();
    expect(cluster.server("redis").keys()).toHaveLength(0); // The removal has arrived late.
    await cluster.close();
  });

  it("starts a crashed process again, without its reads", async () => {
    const { cluster, one } = await started();
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    void one.get(new CountedNode(7)).then(settled, settled);
    await cluster.turn();
    await cluster.restart(0);
    const again = cluster.processes[0]!.cacheme;
    expect(again).not.toBe(one);
    await cluster.settle();
    expect(isSettled).toBe(false);
    const reading = again.get(new CountedNode(7));
    await cluster.settle();
    expect(await reading).toBeGreaterThan(0);
    await cluster.close();
  });

  it("restarts a server from a dump, or without data", async () => {
    const { cluster, one } = await started();
    const redis = cluster.server("redis");
    const before = one.get(new CountedNode(8));
    await cluster.settle();
    await before;
    const dump = redis.dump();
    redis.restart();
    expect(redis.keys()).toEqual([]);
    redis.restart(dump);
    expect(redis.keys()).toHaveLength(1);
    expect(redis.restarts).toBe(2);
    await cluster.close();
  });

  it("gives each process and each server a clock of its own", async () => {
    const { cluster } = await started({ ahead: [3_600_000, -500], serversAhead: [20] });
    const [one, other] = cluster.processes;
    const now = cluster.time.now;
    expect(one!.clock.now() - now).toBe(3_600_000);
    expect(other!.clock.now() - now).toBe(-500);
    expect(cluster.server("redis").time() - now).toBe(20);
    await cluster.advance(250);
    expect(one!.clock.now() - now).toBe(3_600_250);
    expect(one!.clock.elapsed() - other!.clock.elapsed()).toBe(0);
    await cluster.close();
  });

  it("lets a schedule decide when work ends, and whether it fails", async () => {
    const { cluster } = await started();
    const [one] = cluster.processes;
    const work = one!.hold("report", ["42"]);
    const failing = expect(one!.hold("report", ["43"])).rejects.toMatchObject({ name: "SourceError" });
    expect(cluster.messages).toMatchObject([
      { kind: "load", operation: "report", keys: ["42"] },
      { keys: ["43"] },
    ]);
    await cluster.end(1, "fail");
    await cluster.end(0);
    await work;
    await failing;
    await cluster.close();
  });

  it("does not read a tier that it could not reach", async () => {
    const { cluster, one } = await started({ processes: 1 });
    const before = await cluster.complete(one.get(new CountedNode(10)));
    const removal = expect(one.invalidate(new CountedNode(10))).rejects.toThrow();
    await cluster.turn();
    await cluster.end(0, "fail");
    await removal;
    expect(await cluster.complete(one.get(new CountedNode(10)))).toBe(before + 1);
    await cluster.close();
  });
});
