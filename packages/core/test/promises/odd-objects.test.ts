import { describe, expect, it } from "vitest";
import { type LoadAll, Node, type NodeMeta } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { loadingNode } from "../support/loading-nodes.js";
import { reason } from "../support/reason.js";
import { countingNode, localOnly, NumberedNode, space, twoTiers } from "../support/space.js";
import { tierSetups } from "../support/tier-setups.js";

/** Makes an object on which every operation throws. */
function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Makes a class whose load reads its signal only after a while. */
function lateReader(going: Promise<void>, see: (reason: unknown) => void) {
  return class Late extends Node<number> {
    static override meta: NodeMeta = { name: "late", caches: localOnly };
    key() {
      return "k";
    }
    override async load(context: { readonly signal: AbortSignal }) {
      await going;
      see(context.signal.reason);
      return 1;
    }
  };
}

/** Makes a class whose `loadAll` returns the given answer, for the keys "0", "1", … */
function bulk(answer: (nodes: readonly Node[]) => unknown, caches: NodeMeta["caches"] = localOnly) {
  class Bulk extends NumberedNode<unknown> {
    static override meta: NodeMeta = { name: "bulk", caches };
    static override loadAll: LoadAll<Bulk> = answer as never;
  }
  return Bulk;
}

describe("promise 5: an odd object only fails its own read", () => {
  it("a load that is a getter which throws", async () => {
    const { cacheme } = await space();
    class Throwing extends Node<number> {
      static override meta: NodeMeta = { name: "throwing", caches: localOnly };
      key() {
        return "k";
      }
    }
    Object.defineProperty(Throwing.prototype, "load", {
      get() {
        throw new Error("no load today");
      },
    });
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    expect(await cacheme.getAllSettled([new Throwing(), new Counting(1)])).toMatchObject([
      { status: "rejected", reason: { message: "no load today" } },
      { status: "fulfilled", value: 1 },
    ]);
    expect(await reason(cacheme.get(new Throwing()))).toMatchObject({ message: "no load today" });
  });

  it("a class whose name is a getter which throws", async () => {
    const { cacheme } = await space();
    class Nameless extends Node<number> {
      static override meta: NodeMeta = { caches: localOnly };
      static override get name(): string {
        throw new Error("no name today");
      }
      key() {
        return "k";
      }
      override load() {
        return 1;
      }
    }
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    expect(await cacheme.getAllSettled([new Nameless(), new Counting(1)])).toMatchObject([
      { status: "rejected", reason: { message: "no name today" } },
      { status: "fulfilled", value: 1 },
    ]);
  });

  it.each(tierSetups)("a revoked proxy in the answer of loadAll: %s", async (_, caches) => {
    const { cacheme } = await space();
    const Bulk = bulk((nodes) => nodes.map((node) => (node.key() === "1" ? revoked() : node.key())), caches);
    const others = countingNode({ caches }, (id) => id);
    const outcomes = await cacheme.getAllSettled([
      new Bulk(0),
      new Bulk(1),
      new Bulk(2),
      new others.Counting(1),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    expect(await cacheme.getAllSettled([new Bulk(0), new Bulk(2)])).toMatchObject([
      { value: "0" },
      { value: "2" },
    ]);
  });

  it("a revoked proxy as the whole answer of loadAll, and as the value or error of a load", async () => {
    const { cacheme } = await space();
    const Bulk = bulk(() => revoked());
    const returning = countingNode<unknown>({ name: "returning", caches: localOnly }, () => revoked());
    const throwing = countingNode<unknown>({ name: "throwing", caches: twoTiers }, () => {
      throw revoked();
    });
    const outcomes = await cacheme.getAllSettled([
      new Bulk(0),
      new Bulk(1),
      new returning.Counting(1),
      new throwing.Counting(1),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected", "rejected"]);
  });

  it("a revoked proxy that a storage rejects with", async () => {
    const { cacheme, remote } = await space();
    remote.gate = () => Promise.reject(revoked());
    const { Counting } = countingNode({ caches: twoTiers }, (id) => id);
    expect(await cacheme.get(new Counting(1))).toBe(1);
    expect(await reason(cacheme.invalidate(new Counting(1)))).toMatchObject({
      code: "CACHEME_INVALIDATION_INCOMPLETE",
    });
    expect(cacheme.storages().find(({ name }) => name === "remote")?.lastError).toBeInstanceOf(Error);
  });

  it("promises in the answer of loadAll, each refused for its node", async () => {
    const { cacheme } = await space();
    const Bulk = bulk((nodes) =>
      nodes.map((node) =>
        node.key() === "0"
          ? "fine"
          : node.key() === "1"
            ? Promise.resolve("late")
            : Promise.reject(new Error("no")),
      ),
    );
    const outcomes = await cacheme.getAllSettled([new Bulk(0), new Bulk(1), new Bulk(2)]);
    expect(outcomes).toMatchObject([
      { value: "fine" },
      {
        reason: {
          code: "CACHEME_LOAD_SHAPE",
          key: "1",
          message: expect.stringMatching(/answered with a promise for bulk:1.*Promise\.all/),
        },
      },
      { reason: { code: "CACHEME_LOAD_SHAPE", key: "2" } },
    ]);
    expect(cacheme.peekLocal(new Bulk(1))).toBeUndefined();
  });
});

describe("the time limit of a load", () => {
  it("is 30 seconds by default", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: localOnly }, () => new Promise<number>(() => {}));
    const read = reason(cacheme.get(new Counting(1)));
    await settled();
    clock.advance(29_999);
    await settled();
    const joined = reason(cacheme.get(new Counting(1)));
    await settled();
    clock.advance(1);
    for (const error of [await read, await joined]) {
      expect(error).toMatchObject({
        code: "CACHEME_LOAD_TIMEOUT",
        message: expect.stringMatching(/loadTimeout of 30000 ms/),
      });
    }
  });

  it("does not exist if the meta says false", async () => {
    const { cacheme, clock } = await space();
    const { loading, Counting } = loadingNode<number>({ caches: localOnly, loadTimeout: false });
    const read = cacheme.get(new Counting(1));
    await settled();
    clock.advance(86_400_000);
    loading.resolve(1);
    expect(await read).toBe(1);
  });

  it("frees the key: the next read loads again", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (_, load) =>
      load === 1 ? new Promise<number>(() => {}) : load,
    );
    const read = reason(cacheme.get(new Counting(1)));
    await settled();
    clock.advance(30_000);
    await read;
    expect(await cacheme.get(new Counting(1))).toBe(2);
  });

  it("aborts the signal even if the load first reads it after the end", async () => {
    const { cacheme, clock } = await space();
    const going = deferred<void>();
    const seen = deferred<unknown>();
    const Late = lateReader(going.promise, seen.resolve);
    const read = reason(cacheme.get(new Late()));
    await settled();
    clock.advance(30_000);
    const error = await read;
    going.resolve();
    expect(await seen.promise).toBe(error);
  });

  it("aborts the signal of a load that every reader has left, even if read late, and keeps its deadline", async () => {
    const { cacheme, clock } = await space();
    const going = deferred<void>();
    const reasons: unknown[] = [];
    const Left = lateReader(going.promise, (seen) => reasons.push(seen));
    const failures: unknown[] = [];
    cacheme.on("loadError", ({ error }) => failures.push(error));
    const controller = new AbortController();
    const read = reason(cacheme.get(new Left(), { signal: controller.signal }));
    await settled();
    clock.advance(20_000);
    controller.abort(new Error("gone"));
    expect(await read).toMatchObject({ message: "gone" });
    clock.advance(10_000);
    await settled();
    expect(failures).toMatchObject([{ code: "CACHEME_LOAD_TIMEOUT" }]);
    going.resolve();
    await settled();
    expect(reasons).toMatchObject([{ name: "AbortError" }]);
  });
});
