import { describe, expect, it } from "vitest";
import type { LoadAll, LoadContext, NodeMeta } from "../../src/index.js";
import { type Deferred, deferred, settled } from "../support/deferred.js";
import { countingNode, localOnly, NumberedNode, space } from "../support/space.js";
import { expectNothingUnhandled } from "../support/unhandled.js";

expectNothingUnhandled();

const retry: NodeMeta["retry"] = { times: 3, initialDelay: "5s" };

/** Returns the outcome of a read that its reader leaves. */
async function leaves(read: Promise<unknown>, controller: AbortController): Promise<unknown> {
  const outcome = read.catch((error: Error) => error.name);
  await settled();
  controller.abort();
  const left = await outcome;
  await settled();
  return left;
}

describe("a load that all readers leave", () => {
  it("keeps no error if they leave in the pause before a further call", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = countingNode({ caches: localOnly, errorTtl: "1m", retry }, (_, load) => {
      if (load === 1) throw new Error("once");
      return "good";
    });
    const controller = new AbortController();
    expect(await leaves(cacheme.get(new Counting(1), controller), controller)).toBe("AbortError");
    expect(await cacheme.get(new Counting(1))).toBe("good");
    expect(loads).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it("keeps no error for the nodes of a loadAll that were to be called again", async () => {
    const { cacheme } = await space();
    let calls = 0;
    class Listed extends NumberedNode<string> {
      static override meta: NodeMeta = { name: "listed", caches: localOnly, errorTtl: "1m", retry };
      static override loadAll: LoadAll<Listed> = (nodes) => {
        calls += 1;
        return nodes.map(({ id }) => (calls === 1 && id > 1 ? new Error("part") : `value ${id}`));
      };
    }
    const controller = new AbortController();
    const nodes = [new Listed(1), new Listed(2), new Listed(3)];
    await leaves(cacheme.getAllSettled(nodes, controller), controller);
    expect(await cacheme.getAll(nodes)).toEqual(["value 1", "value 2", "value 3"]);
    expect(calls).toBe(2);
  });

  it.each([
    ["uses its signal", true],
    ["waits for a further call", false],
  ])("does not let the key back off if it %s", async (_, usesSignal) => {
    const { cacheme, clock } = await space();
    const errors: unknown[] = [];
    cacheme.on("revalidateError", ({ error }) => errors.push(error));
    let loads = 0;
    class Stale extends NumberedNode<string> {
      static override meta: NodeMeta = {
        name: "stale",
        caches: localOnly,
        staleIfError: "1h",
        retry: usesSignal ? undefined : retry,
      };
      override load({ signal }: LoadContext<string>): string | Promise<string> {
        loads += 1;
        if (loads !== 2) return `load ${loads}`;
        if (!usesSignal) throw new Error("once");
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      }
    }
    await cacheme.get(new Stale(1));
    clock.advance(60_001);
    const controller = new AbortController();
    await leaves(cacheme.get(new Stale(1), controller), controller);
    expect(errors).toEqual([]);
    expect((await cacheme.explain(new Stale(1))).backOff).toBe(0);
    expect(await cacheme.get(new Stale(1))).toBe("load 3");
  });
});

describe("a load that uses its signal for the first time after its readers have left", () => {
  function late(meta: NodeMeta = {}) {
    const step: Deferred<void> = deferred();
    const counts = { loads: 0 };
    class Late extends NumberedNode<string> {
      static override meta: NodeMeta = { name: "late", caches: localOnly, ...meta };
      override async load(context: LoadContext<string>): Promise<string> {
        counts.loads += 1;
        const own = counts.loads;
        if (own === 1) await step.promise;
        context.signal.throwIfAborted();
        return `load ${own}`;
      }
    }
    return { Late, step, counts };
  }

  it.each<NodeMeta>([{}, { errorTtl: "1m" }])("answers a reader that has joined meanwhile", async (meta) => {
    const { cacheme } = await space();
    const { Late, step, counts } = late(meta);
    const controller = new AbortController();
    await leaves(cacheme.get(new Late(1), controller), controller);
    const second = cacheme.get(new Late(1));
    await settled();
    step.resolve();
    expect(await second).toBe("load 1");
    expect(await cacheme.get(new Late(1))).toBe("load 1");
    expect(counts.loads).toBe(1);
  });

  it("aborts if nobody has joined, and later readers start a new load", async () => {
    const { cacheme } = await space();
    const { Late, step } = late({ errorTtl: "1m" });
    const failures: unknown[] = [];
    cacheme.on("loadError", ({ error }) => failures.push((error as Error).name));
    const controller = new AbortController();
    await leaves(cacheme.get(new Late(1), controller), controller);
    step.resolve();
    await settled();
    expect(failures).toEqual(["AbortError"]);
    expect(await cacheme.get(new Late(1))).toBe("load 2");
  });
});
