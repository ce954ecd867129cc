import { describe, expect, it } from "vitest";
import { type LoadContext, Node, type NodeMeta } from "../../src/index.js";
import { type Deferred, deferred, settled } from "../support/deferred.js";
import { loadingNode } from "../support/loading-nodes.js";
import { reason } from "../support/reason.js";
import { countingNode, localOnly, remoteOnly, space, twoTiers } from "../support/space.js";

/** Makes a reader that leaves when the test says so. */
function reader(read: (signal: AbortSignal) => Promise<unknown>) {
  const leaving = new AbortController();
  const answer = read(leaving.signal).catch(() => "left");
  return { answer, leave: () => leaving.abort() };
}

describe("promise 5: everyone is answered, even after other readers have left", () => {
  it("answers a reader that comes after all readers of a waiting load, and of a read that follows it, have left", async () => {
    const { cacheme } = await space();
    const first = deferred<string>();
    const { Counting, loads } = countingNode({ caches: localOnly, concurrency: 1 }, (id) =>
      id === 1 ? first.promise : "value",
    );
    const holdsThePlace = cacheme.get(new Counting(1));
    await settled();
    const leader = reader((signal) => cacheme.refresh(new Counting(2), { signal }));
    await settled();
    const follower = reader((signal) => cacheme.get(new Counting(2), { signal }));
    await settled();
    leader.leave();
    follower.leave();
    const answers: unknown[] = [];
    void cacheme.get(new Counting(2)).then((value) => answers.push(value));
    await settled();
    first.resolve("first");
    await holdsThePlace;
    await settled();
    expect(answers).toEqual(["value"]);
    expect(loads).toEqual([1, 2]);
  });

  it("gives no reader the AbortError of a load that all had left, not even one that followed it", async () => {
    const { cacheme } = await space();
    let loads = 0;
    class Listening extends Node<string> {
      static override meta: NodeMeta = { name: "listening", caches: localOnly };
      key() {
        return "k";
      }
      override load({ signal }: LoadContext<string>) {
        loads += 1;
        if (loads > 1) return "value";
        return new Promise<string>((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason)),
        );
      }
    }
    const leader = reader((signal) => cacheme.refresh(new Listening(), { signal }));
    const follower = reader((signal) => cacheme.get(new Listening(), { signal }));
    await settled();
    leader.leave();
    follower.leave();
    expect(await cacheme.get(new Listening())).toBe("value");
  });

  it("does not load again for a reader with a limit of age that has left", async () => {
    const { cacheme } = await space();
    const { loading, Counting, loads } = loadingNode<string>({ caches: localOnly });
    const stays = cacheme.get(new Counting(1));
    await settled();
    const late = reader((signal) => cacheme.get(new Counting(1), { maxAge: "1s", signal }));
    await settled();
    late.leave();
    await cacheme.invalidate(new Counting(1));
    loading.resolve("value");
    expect(await stays).toBe("value");
    await settled();
    expect(loads).toHaveLength(1);
  });
});

describe("a load that waits for a read in a class with a concurrency of 1", () => {
  it("is answered if the read goes on to a second load, which needs no place in the line", async () => {
    const { cacheme } = await space();
    const [begun, first] = [deferred(), deferred()];
    let loads = 0;
    class Limited extends Node<string> {
      static override meta: NodeMeta = { name: "limited", caches: localOnly, concurrency: 1 };
      constructor(readonly id: string) {
        super();
      }
      key() {
        return this.id;
      }
      override async load({ getAll, get }: LoadContext<string>): Promise<string> {
        if (this.id === "outer") {
          const early = get(new Limited("inner"));
          early.catch(() => {});
          await begun.promise;
          return (await getAll([new Limited("inner")])).join();
        }
        loads += 1;
        if (loads > 1) return "second";
        begun.resolve();
        await first.promise;
        return "first";
      }
    }
    const answers: unknown[] = [];
    void cacheme.get(new Limited("outer")).then((value) => answers.push(value));
    await settled();
    await cacheme.invalidate(new Limited("inner"));
    await settled();
    first.resolve();
    await settled();
    expect(answers).toEqual(["second"]);
  });
});

describe("a load that has left a read", () => {
  it("no longer waits for it, so there is no cycle", async () => {
    const { cacheme } = await space();
    const leaving = new AbortController();
    const [outer, inner] = [deferred(), deferred()];
    class Outer extends Node<string> {
      static override meta: NodeMeta = { name: "outer", caches: localOnly };
      key() {
        return "k";
      }
      override async load({ get }: LoadContext<string>): Promise<string> {
        const inside = get(new Inner(), { signal: leaving.signal });
        const found = await inside.catch(() => "nothing");
        await outer.promise;
        return `outer of ${found}`;
      }
    }
    class Inner extends Node<string> {
      static override meta: NodeMeta = { name: "inner", caches: localOnly };
      key() {
        return "k";
      }
      override async load({ get }: LoadContext<string>): Promise<string> {
        await inner.promise;
        return `inner of ${await get(new Outer())}`;
      }
    }
    const reads = [cacheme.get(new Outer()), cacheme.get(new Inner())];
    await settled();
    leaving.abort();
    await settled();
    await settled();
    inner.resolve();
    await settled();
    outer.resolve();
    expect(await Promise.all(reads)).toEqual(["outer of nothing", "inner of outer of nothing"]);
  });

  it("does not take a read with a signal that it does not await for a cycle", async () => {
    const { cacheme } = await space();
    const begun = deferred();
    class Outer extends Node<string> {
      static override meta: NodeMeta = { name: "outer", caches: localOnly };
      key() {
        return "k";
      }
      override async load({ get }: LoadContext<string>): Promise<string> {
        void get(new Inner(), { signal: new AbortController().signal });
        await begun.promise;
        await settled();
        return "outer";
      }
    }
    class Inner extends Node<string> {
      static override meta: NodeMeta = { name: "inner", caches: localOnly };
      key() {
        return "k";
      }
      override async load({ get }: LoadContext<string>): Promise<string> {
        begun.resolve();
        return `inner of ${await get(new Outer())}`;
      }
    }
    expect(await cacheme.get(new Outer())).toBe("outer");
    expect(await cacheme.get(new Inner())).toBe("inner of outer");
  });
});

describe("readers that joined an overtaken load", () => {
  it("cost no load if they have left", async () => {
    const { cacheme } = await space();
    const { loading, Counting, loads } = loadingNode<string>({ caches: twoTiers });
    const early = cacheme.get(new Counting(1));
    await settled();
    const controller = new AbortController();
    const late = reason(cacheme.get(new Counting(1), { signal: controller.signal }));
    controller.abort(new Error("left"));
    await late;
    await cacheme.invalidate(new Counting(1));
    await settled();
    loading.resolve("value");
    expect(await early).toBe("value");
    await settled();
    expect(loads).toEqual([1]);
  });

  it("abort their next load when they leave", async () => {
    const { cacheme } = await space();
    const signals: AbortSignal[] = [];
    const endings: Deferred<string>[] = [];
    class Listening extends Node<string> {
      static override meta: NodeMeta = { name: "listening", caches: twoTiers };
      key() {
        return "1";
      }
      override load({ signal }: LoadContext) {
        signals.push(signal);
        const ending = deferred<string>();
        endings.push(ending);
        return ending.promise;
      }
    }
    const early = cacheme.get(new Listening());
    await settled();
    const controller = new AbortController();
    const late = reason(cacheme.get(new Listening(), { signal: controller.signal }));
    await cacheme.invalidate(new Listening());
    await settled();
    controller.abort(new Error("left"));
    await late;
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
    endings[0]?.resolve("value");
    expect(await early).toBe("value");
  });

  it("are answered if one of them leaves when the load ends", async () => {
    const { cacheme } = await space();
    const endings: Deferred<string>[] = [];
    const { Counting } = countingNode({ caches: twoTiers }, () => {
      const ending = deferred<string>();
      endings.push(ending);
      return ending.promise;
    });
    const early = new AbortController();
    const left = reason(cacheme.get(new Counting(1), { signal: early.signal }));
    await settled();
    const late = cacheme.get(new Counting(1));
    await cacheme.invalidate(new Counting(1));
    await settled();
    cacheme.on("load", () => early.abort(new Error("left")));
    endings[0]?.resolve("old");
    await settled();
    endings[1]?.resolve("new");
    expect(await left).toMatchObject({ message: "left" });
    expect(await late).toBe("new");
  });
});

describe("a read with a limit of age that would close a cycle when it goes on to a load", () => {
  it("is not a reader of that load", async () => {
    const { cacheme, clock, remote } = await space();
    const reading = deferred();
    let aborted: (() => boolean) | undefined;
    class Inner extends Node<string> {
      static override meta: NodeMeta = { name: "inner", caches: remoteOnly };
      key() {
        return "1";
      }
      override async load({ signal, get }: LoadContext) {
        aborted = () => signal.aborted;
        await get(new Outer());
        return await new Promise<string>(() => {});
      }
    }
    class Outer extends Node<string> {
      static override meta: NodeMeta = { name: "outer", caches: remoteOnly };
      key() {
        return "1";
      }
      override async load({ get }: LoadContext) {
        const error: unknown = await reason(get(new Inner(), { maxAge: 1 }));
        return (error as Error).name;
      }
    }
    await cacheme.set(new Inner(), "old");
    clock.advance(1_000);
    let reads = 0;
    remote.gate = (operation, moment) => {
      if (operation !== "read" || moment !== "answer") return undefined;
      reads += 1;
      return reads === 2 ? reading.promise : undefined;
    };
    const outer = cacheme.get(new Outer());
    await settled();
    const controller = new AbortController();
    const refreshed = reason(cacheme.refresh(new Inner(), { signal: controller.signal }));
    await settled();
    reading.resolve();
    expect(await outer).toBe("LoadCycleError");
    controller.abort(new Error("left"));
    await refreshed;
    expect(aborted?.()).toBe(true);
    expect(cacheme.stats(Inner).requestCount).toBeLessThanOrEqual(2);
  });
});

describe("statistics", () => {
  it("count reads that left before their load began", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly }, () => "unused");
    const controller = new AbortController();
    const { signal } = controller;
    const reads = [1, 2, 3].map(() => reason(cacheme.get(new Counting(1), { signal })));
    controller.abort(new Error("left"));
    await Promise.all(reads);
    await settled();
    expect(loads).toEqual([]);
    expect(cacheme.stats()).toMatchObject({ requestCount: 3, missCount: 3, coalescedCount: 2 });
  });
});
