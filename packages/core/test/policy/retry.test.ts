import { describe, expect, it } from "vitest";
import {
  type CachemeEvents,
  ConfigurationError,
  type LoadAll,
  type LoadContext,
  Node,
  type NodeMeta,
} from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { countingNode, localOnly, NumberedNode, space, twoTiers } from "../support/space.js";
import type { VirtualClock } from "../support/virtual-clock.js";

/** Waits until the load runs out of calls, by moving the clock from pause to pause. */
async function through(clock: VirtualClock, pauses: number) {
  for (let pause = 0; pause < pauses; pause++) {
    await settled();
    clock.advance(5_000);
  }
  await settled();
}

describe("the option retry", () => {
  it("repeats a failed load, and its readers get the value", async () => {
    const { cacheme, clock } = await space();
    const events: CachemeEvents["loadRetry"][] = [];
    cacheme.on("loadRetry", (event) => events.push(event));
    const failures: unknown[] = [];
    cacheme.on("loadError", (event) => failures.push(event));
    const { Counting, loads } = countingNode({ caches: twoTiers, retry: 3 }, (id, load) => {
      if (load < 3) throw new Error(`failure ${load}`);
      return id;
    });
    const reads = Promise.all([cacheme.get(new Counting(7)), cacheme.get(new Counting(7))]);
    await through(clock, 2);
    expect(await reads).toEqual([7, 7]);
    expect(loads).toEqual([7, 7, 7]);
    expect((await cacheme.peek(new Counting(7)))?.value).toBe(7);
    expect(events.map(({ node, keys, attempt, error }) => [node, keys, attempt, String(error)])).toEqual([
      ["counting", ["7"], 1, "Error: failure 1"],
      ["counting", ["7"], 2, "Error: failure 2"],
    ]);
    expect(failures).toEqual([]);
    expect(cacheme.stats()).toMatchObject({ retryCount: 2, loadSuccessCount: 1, loadFailureCount: 0 });
  });

  it("waits longer and longer, at random, and never longer than maxDelay", async () => {
    const { cacheme, clock } = await space();
    const delays: number[] = [];
    cacheme.on("loadRetry", ({ delay }) => delays.push(delay));
    const retry = { times: 12, initialDelay: "50ms", maxDelay: "2s" } as const;
    const { Counting, loads } = countingNode({ caches: localOnly, retry, loadTimeout: false }, () => {
      throw new Error("down");
    });
    const read = cacheme.get(new Counting(1));
    const outcome = expect(read).rejects.toThrow("down");
    await through(clock, 12);
    await outcome;
    expect(loads).toHaveLength(13);
    expect(delays).toHaveLength(12);
    expect(Math.max(...delays)).toBe(2_000);
    expect(delays[0]).toBeLessThanOrEqual(100);
    expect(delays.slice(0, 4).reduce((one, other) => one + other)).toBeLessThan(2_000);
    expect(new Set(delays.slice(0, 4)).size).toBeGreaterThan(1);
  });

  it("calls again exactly when the pause has passed", async () => {
    const { cacheme, clock } = await space();
    let delay = 0;
    cacheme.on("loadRetry", (event) => {
      delay = event.delay;
    });
    const { Counting, loads } = countingNode({ caches: localOnly, retry: 1 }, (id, load) => {
      if (load === 1) throw new Error("once");
      return id;
    });
    const read = cacheme.get(new Counting(1));
    await settled();
    clock.advance(delay - 1);
    expect(loads).toHaveLength(1);
    clock.advance(1);
    expect(loads).toHaveLength(2);
    expect(await read).toBe(1);
  });

  it("repeats no error that `when` refuses, and none of Cacheme's own without it", async () => {
    const { cacheme } = await space();
    const when = (error: unknown) => !(error instanceof RangeError);
    const { Counting, loads } = countingNode({ caches: localOnly, retry: { times: 3, when } }, () => {
      throw new RangeError("no such row");
    });
    await expect(cacheme.get(new Counting(1))).rejects.toThrow("no such row");
    expect(loads).toHaveLength(1);
    const own = countingNode({ name: "own", caches: localOnly, retry: 3 }, () => {
      throw new ConfigurationError("CACHEME_INVALID_OPTION", "wrong");
    });
    await expect(cacheme.get(new own.Counting(1))).rejects.toThrow("wrong");
    expect(own.loads).toHaveLength(1);
    const broken = countingNode(
      {
        name: "broken",
        caches: localOnly,
        retry: {
          times: 3,
          when: () => {
            throw new Error("when");
          },
        },
      },
      () => {
        throw new Error("the load's own");
      },
    );
    await expect(cacheme.get(new broken.Counting(1))).rejects.toThrow("the load's own");
  });

  it("loads only the failed nodes of a loadAll again", async () => {
    const { cacheme, clock } = await space();
    const calls: number[][] = [];
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "bulk", caches: localOnly, retry: 2 };
      static override loadAll: LoadAll<Bulk> = (nodes) => {
        calls.push(nodes.map(({ id }) => id));
        return nodes.map(({ id }) => (calls.length < id ? new Error(`not yet ${id}`) : id));
      };
    }
    const reads = [1, 2, 3, 4].map((id) => cacheme.get(new Bulk(id)));
    const outcomes = Promise.allSettled(reads);
    // A node that was loaded answers its readers at once.
    expect(await reads[0]).toBe(1);
    await through(clock, 2);
    expect((await outcomes).map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
    ]);
    expect(calls).toEqual([
      [1, 2, 3, 4],
      [2, 3, 4],
      [3, 4],
    ]);
    expect(cacheme.stats()).toMatchObject({ retryCount: 5, loadSuccessCount: 3, loadFailureCount: 1 });
  });

  it("forgets what a failed call has said of its value", async () => {
    const { cacheme, clock } = await space();
    let calls = 0;
    class Said extends Node<number> {
      static override meta: NodeMeta = { name: "said", caches: localOnly, retry: 1 };
      key() {
        return "k";
      }
      override load({ skip, ttl }: LoadContext<number>) {
        calls += 1;
        if (calls > 1) return calls;
        skip();
        ttl("1s");
        throw new Error("once");
      }
    }
    const read = cacheme.get(new Said());
    await through(clock, 1);
    expect(await read).toBe(2);
    expect(cacheme.peekLocal(new Said())?.ttl).toBeGreaterThan(1_000);
  });

  it("ends with the load timeout, also in a pause", async () => {
    const { cacheme, clock } = await space();
    const meta = {
      caches: localOnly,
      retry: { times: 9, initialDelay: "1m", maxDelay: "10m" },
      loadTimeout: "10s",
    };
    const { Counting, loads } = countingNode(meta as NodeMeta, () => {
      throw new Error("down");
    });
    const outcome = expect(cacheme.get(new Counting(1))).rejects.toMatchObject({
      code: "CACHEME_LOAD_TIMEOUT",
    });
    await settled();
    clock.advance(10_000);
    await outcome;
    clock.advance(600_000);
    await settled();
    expect(loads).toHaveLength(1);
    expect(clock.pending).toBe(0);
    expect(cacheme.stats().loadFailureCount).toBe(1);
  });

  it("ends when every reader has left", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly, retry: 3 }, () => {
      throw new Error("down");
    });
    const controller = new AbortController();
    const outcome = expect(cacheme.get(new Counting(1), { signal: controller.signal })).rejects.toThrow(
      "left",
    );
    await settled();
    controller.abort(new Error("left"));
    await outcome;
    clock.advance(60_000);
    await settled();
    expect(loads).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it("refuses options that mean nothing", async () => {
    const { cacheme } = await space();
    const cases: [NodeMeta["retry"], string][] = [
      [-1, "has `retry` with `times: -1`: give a whole number of at least 0."],
      [{ times: 1.5 }, "has `retry` with `times: 1.5`"],
      [{ times: 1, when: true as never }, "has `retry` with `when: true`"],
      [{ times: 1, attempts: 2 } as never, 'The option retry of node "counting" has no option "attempts"'],
      [{ times: 1, maxDelay: "soon" as "1s" }, 'The retry.maxDelay of node "counting" is "soon"'],
      ["3" as never, "expected an object as its options"],
    ];
    for (const [retry, message] of cases) {
      const { Counting } = countingNode({ retry }, (id) => id);
      await expect(cacheme.get(new Counting(1))).rejects.toThrow(message);
    }
  });
});

describe("the option concurrency", () => {
  it("is one limit on the calls of load and of loadAll together", async () => {
    const { cacheme } = await space();
    let running = 0;
    let most = 0;
    const calls: string[] = [];
    const gates: (() => void)[] = [];
    const call = async <T>(what: string, answer: T): Promise<T> => {
      calls.push(what);
      running += 1;
      most = Math.max(most, running);
      const gate = deferred();
      gates.push(() => gate.resolve());
      await gate.promise;
      running -= 1;
      return answer;
    };
    class Both extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "both", caches: localOnly, concurrency: 2 };
      static override loadAll: LoadAll<Both> = (nodes) =>
        call(
          `all ${nodes.length}`,
          nodes.map(({ id }) => id),
        );
      override load() {
        return call("one", this.id);
      }
    }
    const reads: Promise<unknown>[] = [];
    for (const ids of [[1], [2, 3], [4], [5, 6, 7], [8]]) {
      reads.push(...ids.map((id) => cacheme.get(new Both(id))));
      await settled();
    }
    expect(calls).toEqual(["one", "all 2"]);
    while (gates.length > 0) {
      gates.shift()?.();
      await settled();
    }
    expect(await Promise.all(reads)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(calls).toEqual(["one", "all 2", "one", "all 3", "one"]);
    expect(most).toBe(2);
  });

  it("counts a load that waits to be repeated", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly, concurrency: 1, retry: 1 }, (id, load) => {
      if (load === 1) throw new Error("once");
      return id;
    });
    const reads = Promise.all([cacheme.get(new Counting(1)), cacheme.get(new Counting(2))]);
    await settled();
    expect(loads).toEqual([1]);
    await through(clock, 1);
    expect(await reads).toEqual([1, 2]);
    expect(loads).toEqual([1, 1, 2]);
  });
});
