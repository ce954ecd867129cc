import { describe, expect, it } from "vitest";
import {
  Cacheme,
  memory,
  memoryBus,
  type Node,
  type NodeMeta,
  type WarmOptions,
  type WarmProgress,
} from "../../src/index.js";
import { progressBarOf } from "../../src/warm/progress-bar.js";
import { LeasedRemote } from "../support/leased-remote.js";
import { reason } from "../support/reason.js";
import { countingNode, NumberedNode, space, twoTiers } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A space whose remote storage supports leases, and a class that loads many values in one call. */
async function leasedSpace(meta: NodeMeta = {}) {
  const clock = new VirtualClock();
  const remote = new LeasedRemote(clock);
  const cacheme = new Cacheme({ clock });
  await cacheme.registerStorage("local", memory());
  await cacheme.registerStorage("remote", remote);
  const batches: number[][] = [];
  let source: (id: number) => string | Error = (id) => `value ${id}`;
  class Numbered extends NumberedNode<string> {
    static override meta: NodeMeta = {
      name: "numbered",
      caches: [{ storage: "remote", ttl: "10m" }],
      ...meta,
    };
    static override loadAll(nodes: readonly Numbered[]) {
      batches.push(nodes.map(({ id }) => id));
      return nodes.map(({ id }) => source(id));
    }
  }
  const from = (change: (id: number) => string | Error) => {
    source = change;
  };
  const nodes = (count: number, first = 0) =>
    Array.from({ length: count }, (_, id) => new Numbered(first + id));
  return { cacheme, clock, remote, Numbered, batches, nodes, from };
}

describe("warm", () => {
  it("loads what no tier has, in batches, and stores it", async () => {
    const { cacheme, remote, nodes, batches } = await leasedSpace();
    const report = await cacheme.warm(nodes(25), { batch: 10 });
    expect(report).toMatchObject({ warmed: 25, fresh: 0, failed: 0, total: 25, failures: [] });
    expect(batches.map((ids) => ids.length)).toEqual([10, 10, 5]);
    expect(remote.records.size).toBe(25);
    expect(remote.count("read")).toBe(3);
    expect(remote.count("fill")).toBe(3);
  });

  it("skips what is fresh, so that a second call goes on where the first one ended", async () => {
    const { cacheme, nodes, batches, clock } = await leasedSpace();
    const controller = new AbortController();
    const onProgress = ({ warmed }: WarmProgress) => {
      if (warmed === 20) controller.abort(new Error("enough"));
    };
    const aborted = cacheme.warm(nodes(50), {
      batch: 10,
      concurrency: 1,
      onProgress,
      signal: controller.signal,
    });
    expect(await reason(aborted)).toMatchObject({ message: "enough" });
    expect(batches.flat()).toHaveLength(20);
    expect(await cacheme.warm(nodes(50))).toMatchObject({ warmed: 30, fresh: 20 });
    expect(await cacheme.warm(nodes(50))).toMatchObject({ warmed: 0, fresh: 50 });
    clock.advance(11 * 60_000);
    expect(await cacheme.warm(nodes(50))).toMatchObject({ warmed: 50, fresh: 0 });
  });

  it("fills the memory from a remote tier", async () => {
    const { cacheme, nodes } = await leasedSpace({ caches: twoTiers });
    await cacheme.warm(nodes(3));
    await cacheme.clear();
    expect(cacheme.peekLocal(nodes(1)[0]!)).toBeUndefined();
    expect(await cacheme.warm(nodes(3))).toMatchObject({ warmed: 0, fresh: 3 });
    expect(cacheme.peekLocal(nodes(1)[0]!)?.value).toBe("value 0");
  });

  it("reports each failure with its node, and goes on", async () => {
    const { cacheme, nodes, from, Numbered } = await leasedSpace();
    from((id) => (id % 4 === 3 ? new Error(`no ${id}`) : "value"));
    const { warmed, failed, failures } = await cacheme.warm(nodes(8));
    expect([warmed, failed]).toEqual([6, 2]);
    expect(failures).toEqual([
      { node: new Numbered(3), error: new Error("no 3") },
      { node: new Numbered(7), error: new Error("no 7") },
    ]);
    from((id) => new Error(`no ${id}`));
    const many = await cacheme.warm(nodes(500, 100));
    expect([many.failed, many.failures.length]).toEqual([500, 100]);
  });

  it("counts a value that no remote tier has taken as failed", async () => {
    const { cacheme, nodes, remote, clock } = await leasedSpace();
    remote.gate = (operation) => {
      if (operation === "fill") throw new Error("full");
    };
    const { warmed, failed, failures } = await cacheme.warm(nodes(3));
    expect([warmed, failed]).toEqual([0, 3]);
    expect(failures[0]?.error).toMatchObject({ code: "CACHEME_WRITE_INCOMPLETE" });
    remote.gate = () => {};
    clock.advance(10_000); // The leases of the fills end.
    expect(await cacheme.warm(nodes(3))).toMatchObject({ warmed: 3 });
  });

  it("stores nothing that was invalidated while it was loaded", async () => {
    const { cacheme, nodes, remote } = await leasedSpace();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    remote.gate = (operation, moment) => (operation === "fill" && moment === "request" ? held : undefined);
    const warming = cacheme.warm(nodes(2));
    while (remote.count("fill") === 0) await settle();
    const invalidated = cacheme.invalidate(nodes(1)[0]!);
    await settle();
    release();
    await invalidated;
    expect(await warming).toMatchObject({ warmed: 1, failed: 1 });
    expect([...remote.records.keys()]).toEqual(["cacheme:numbered:1:1"]);
  });

  it("shares a load with the readers of the same key", async () => {
    const { cacheme, nodes, batches } = await leasedSpace();
    const [report, value] = await Promise.all([cacheme.warm(nodes(3)), cacheme.get(nodes(1)[0]!)]);
    expect(report.warmed + report.fresh).toBe(3);
    expect(value).toBe("value 0");
    expect(batches.flat().toSorted()).toEqual([0, 1, 2]);
  });

  it("has at most `concurrency` batches under way, and takes no more nodes from an iterator", async () => {
    const { cacheme, nodes, remote } = await leasedSpace();
    let taken = 0;
    async function* endless() {
      for (const node of nodes(1_000)) {
        taken += 1;
        yield node;
      }
    }
    const waiting: (() => void)[] = [];
    remote.gate = (operation, moment) =>
      operation === "read" && moment === "request"
        ? new Promise((resolve) => waiting.push(resolve))
        : undefined;
    const warming = cacheme.warm(endless(), { batch: 10, concurrency: 2 });
    for (let turn = 0; turn < 50; turn++) await settle();
    expect(waiting).toHaveLength(2);
    expect(taken).toBe(30);
    remote.gate = () => {};
    for (const go of waiting) go();
    expect(await warming).toMatchObject({ warmed: 1_000, total: 1_000 });
  });

  it("keeps to a rate", async () => {
    const { cacheme, nodes, clock, batches } = await leasedSpace();
    await cacheme.warm(nodes(1, 1_000));
    batches.length = 0;
    const { pending } = clock;
    const warming = cacheme.warm(nodes(40), { batch: 10, rate: 20 });
    for (let turn = 0; turn < 20; turn++) await settle();
    expect(batches).toHaveLength(1);
    for (let second = 1; second <= 3; second++) {
      clock.advance(499);
      for (let turn = 0; turn < 20; turn++) await settle();
      expect(batches).toHaveLength(second);
      clock.advance(1);
      for (let turn = 0; turn < 20; turn++) await settle();
      expect(batches).toHaveLength(second + 1);
    }
    expect(await warming).toMatchObject({ warmed: 40, duration: 1_500 });
    expect(clock.pending).toBe(pending);
  });

  it("ends a pause of its rate when the signal aborts", async () => {
    const { cacheme, nodes, clock } = await leasedSpace();
    await cacheme.warm(nodes(1, 1_000));
    const { pending } = clock;
    const controller = new AbortController();
    const warming = cacheme.warm(nodes(40), { batch: 10, rate: 1, signal: controller.signal });
    for (let turn = 0; turn < 20; turn++) await settle();
    controller.abort(new Error("enough"));
    expect(await reason(warming)).toMatchObject({ message: "enough" });
    expect(clock.pending).toBe(pending);
  });

  it("begins no more loads at once than the rate of a second", async () => {
    const { cacheme, nodes, clock, batches } = await leasedSpace();
    const warming = cacheme.warm(nodes(25), { rate: 10.5 });
    for (let turn = 0; turn < 20; turn++) await settle();
    expect(batches.flat()).toHaveLength(10);
    for (let second = 0; second < 3; second++) {
      clock.advance(1_000);
      for (let turn = 0; turn < 20; turn++) await settle();
    }
    expect(await warming).toMatchObject({ warmed: 25 });
    const slow = cacheme.warm(nodes(2, 100), { rate: 0.5 });
    for (let turn = 0; turn < 20; turn++) await settle();
    expect(batches.flat()).toHaveLength(26);
    clock.advance(2_000);
    expect(await slow).toMatchObject({ warmed: 2 });
  });

  it("does not pause when the signal has aborted before", async () => {
    const { cacheme, nodes, clock } = await leasedSpace();
    await cacheme.warm(nodes(1, 1_000));
    const { pending } = clock;
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("enough"));
    const options = { rate: 1, onProgress, signal: controller.signal };
    expect(await reason(cacheme.warm(nodes(40), options))).toMatchObject({ message: "enough" });
    expect(clock.pending).toBe(pending);
  });

  it("does not wait for an iterator when the signal aborts", async () => {
    const { cacheme, nodes, batches } = await leasedSpace();
    const controller = new AbortController();
    let isEnded = false;
    const rows = nodes(10);
    const stuck: AsyncIterable<Node> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          const value = rows.shift();
          return value === undefined ? await new Promise<never>(() => {}) : { done: false, value };
        },
        return: () => {
          isEnded = true;
          return new Promise<never>(() => {});
        },
      }),
    };
    const warming = cacheme.warm(stuck, { batch: 10, signal: controller.signal });
    for (let turn = 0; turn < 20; turn++) await settle();
    expect(batches.flat()).toHaveLength(10);
    expect(isEnded).toBe(false);
    controller.abort(new Error("enough"));
    expect(await reason(warming)).toMatchObject({ message: "enough" });
    expect(isEnded).toBe(true);
  });

  it("takes lists, sets, generators and async generators, of any classes", async () => {
    const { cacheme, nodes } = await leasedSpace();
    const { Counting, loads } = countingNode({ caches: twoTiers }, (id) => id);
    expect(await cacheme.warm(new Set([...nodes(2), new Counting(1)]))).toMatchObject({ warmed: 3 });
    expect(loads).toEqual([1]);
    async function* mixed() {
      yield* nodes(2);
      yield new Counting(2);
    }
    expect(await cacheme.warm(mixed())).toMatchObject({ warmed: 1, fresh: 2 });
    expect(await cacheme.warm([])).toMatchObject({ warmed: 0, total: 0 });
  });

  it("rejects with the error of the iterator or of onProgress, after the batches under way", async () => {
    const { cacheme, nodes, remote } = await leasedSpace();
    async function* broken() {
      yield* nodes(10);
      throw new Error("no more rows");
    }
    expect(await reason(cacheme.warm(broken(), { batch: 10 }))).toMatchObject({ message: "no more rows" });
    expect(remote.records.size).toBe(10);
    const onProgress = () => {
      throw new Error("cannot show");
    };
    expect(await reason(cacheme.warm(nodes(5), { onProgress }))).toMatchObject({ message: "cannot show" });
  });

  it("closes an iterator that it does not read to the end", async () => {
    const { cacheme, nodes } = await leasedSpace();
    let isClosed = false;
    function* rows() {
      try {
        yield* nodes(100);
      } finally {
        isClosed = true;
      }
    }
    const signal = AbortSignal.abort(new Error("before"));
    expect(await reason(cacheme.warm(rows(), { signal }))).toMatchObject({ message: "before" });
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    await reason(cacheme.warm(rows(), { batch: 10, concurrency: 1, onProgress, signal: controller.signal }));
    expect(isClosed).toBe(true);
  });

  it("ends when the space is closed", async () => {
    const { cacheme, nodes } = await leasedSpace();
    const onProgress = () => void cacheme.close();
    const error = await reason(cacheme.warm(nodes(1_000), { batch: 10, concurrency: 1, onProgress }));
    expect(error).toMatchObject({ code: "CACHEME_CLOSED" });
  });

  it("drops no other process's entries, as a load does not", async () => {
    const { cacheme, nodes, remote, clock } = await leasedSpace({ caches: twoTiers });
    const bus = memoryBus();
    const other = new Cacheme({ clock });
    await other.registerStorage("local", memory());
    await other.registerStorage("remote", remote);
    await cacheme.registerBus(bus);
    await other.registerBus(bus);
    await other.get(nodes(1)[0]!);
    await cacheme.warm(nodes(3));
    expect(other.peekLocal(nodes(1)[0]!)?.value).toBe("value 0");
  });

  it.each<[unknown, RegExp]>([
    [{ concurrency: 0 }, /concurrency, got 0/],
    [{ batch: 1.5 }, /batch, got 1.5/],
    [{ rate: -1 }, /rate, got -1/],
    [{ total: "many" }, /total, got "many"/],
    [{ onProgress: 1 }, /onProgress, got 1/],
    [{ signal: {} }, /AbortSignal as signal/],
    [{ progressBar: "yes" }, /progressBar, got "yes"/],
    [{ parallel: 3 }, /no option "parallel"/],
  ])("refuses %o", async (options, message) => {
    const { cacheme } = await space();
    const error = await reason(cacheme.warm([], options as WarmOptions));
    expect(error).toMatchObject({ code: "CACHEME_INVALID_OPTION" });
    expect((error as Error).message).toMatch(message);
  });

  it("refuses nodes that cannot be iterated", async () => {
    const { cacheme } = await space();
    for (const given of [5, "abc", null]) {
      const error = await reason(cacheme.warm(given as unknown as Node[]));
      expect(error).toMatchObject({ code: "CACHEME_INVALID_OPTION" });
    }
  });
});

describe("the progress bar of warm", () => {
  /** A terminal that keeps what is written. */
  function terminal(isTTY: boolean) {
    const written: string[] = [];
    const stream = Object.assign(Object.create(process.stderr), {
      isTTY,
      columns: 80,
      write: (text: string) => {
        written.push(text);
        return true;
      },
    }) as NodeJS.WriteStream;
    return { stream, written };
  }

  it("is shown on a terminal only", async () => {
    const { stream, written } = terminal(false);
    expect(await progressBarOf(10, stream)).toBeUndefined();
    expect(written).toEqual([]);
  });

  it("shows how far it is", async () => {
    const { stream, written } = terminal(true);
    const bar = await progressBarOf(10, stream);
    bar?.show({ warmed: 3, fresh: 1, failed: 1, total: 10 });
    bar?.show({ warmed: 8, fresh: 1, failed: 1, total: 10 });
    bar?.stop();
    expect(written.join("")).toContain("10 of 10: 8 warmed, 1 fresh, 1 failed");
  });

  it("shows the numbers if the total is not known", async () => {
    const { stream, written } = terminal(true);
    const bar = await progressBarOf(undefined, stream);
    bar?.show({ warmed: 3, fresh: 1, failed: 1, total: undefined });
    bar?.stop();
    expect(written.join("")).toContain("5: 3 warmed, 1 fresh, 1 failed");
  });
});
