import { describe, expect, it } from "vitest";
import type { Node, NodeMeta } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { expectRefused } from "../support/refused-meta.js";
import { countingNode, localOnly, remoteOnly, type Space, space, twoTiers } from "../support/space.js";
import { tierSetups } from "../support/tier-setups.js";
import { expectNothingUnhandled } from "../support/unhandled.js";

expectNothingUnhandled();

const minute = 60_000;

/** A class whose first load answers at once, and whose second one waits for the gate. */
function slow(meta: NodeMeta) {
  const gate = deferred<string>();
  const node = countingNode<string>(
    { staleIfError: "1h", loadTimeout: { soft: "100ms", hard: "10s" }, ...meta },
    (_, load) => (load === 1 ? "old" : load === 2 ? gate.promise : `load ${load}`),
  );
  return { ...node, gate };
}

/**
 * Reads an expired value until the soft limit answers with it. The load goes on, and its failures
 * are in the returned list.
 */
async function answerOld({ cacheme, clock }: Space, node: Node<string>): Promise<unknown[]> {
  const errors: unknown[] = [];
  cacheme.on("revalidateError", ({ error }) => errors.push(error));
  await cacheme.get(node);
  clock.advance(10 * minute + 1);
  const read = cacheme.get(node);
  await settled();
  clock.advance(100);
  expect(await read).toBe("old");
  return errors;
}

describe("loadTimeout.soft", () => {
  it.each(tierSetups)("returns the stale value of %s, and lets the load go on", async (_, caches) => {
    const { cacheme, clock } = await space();
    const { Counting, gate, loads } = slow({ caches });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    const reads = [cacheme.get(new Counting(1)), cacheme.getAll([new Counting(1)])];
    await settled();
    const late = cacheme.get(new Counting(1));
    clock.advance(99);
    let answered = 0;
    for (const read of [...reads, late]) void read.then(() => answered++);
    await settled();
    expect(answered).toBe(0);
    clock.advance(1);
    expect(await Promise.all([...reads, late])).toEqual(["old", ["old"], "old"]);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    expect(loads).toHaveLength(2);
    gate.resolve("new");
    await settled();
    expect(await cacheme.get(new Counting(1))).toBe("new");
    expect(loads).toHaveLength(2);
    expect(cacheme.stats().staleCount).toBe(4);
  });

  it.each<[string, NodeMeta, number]>([
    ["a revalidation", { staleWhileRevalidate: "1s" }, minute + 500],
    ["a refresh ahead", { refreshAhead: { threshold: 0.5 } }, 40_000],
  ])("bounds the wait of a reader that joins %s", async (_, meta, begins) => {
    const { cacheme, clock } = await space();
    const { Counting, gate, loads } = slow({
      caches: localOnly,
      loadTimeout: { soft: "2m", hard: "1h" },
      ...meta,
    });
    await cacheme.get(new Counting(1));
    clock.advance(begins);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    await settled();
    clock.advance(minute);
    let answer: unknown = "waits";
    void cacheme.get(new Counting(1)).then((value) => {
      answer = value;
    });
    await settled();
    clock.advance(minute - 1);
    await settled();
    expect(answer).toBe("waits");
    clock.advance(1);
    await settled();
    expect(answer).toBe("old");
    expect(await cacheme.get(new Counting(1))).toBe("old");
    gate.resolve("new");
    await settled();
    expect(await cacheme.get(new Counting(1))).toBe("new");
    expect(loads).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it("lets a load that fails back off", async () => {
    const made = await space();
    const { cacheme, clock } = made;
    const { Counting, gate, loads } = slow({ caches: twoTiers });
    const errors = await answerOld(made, new Counting(1));
    gate.reject(new Error("the source is down"));
    await settled();
    expect(errors).toEqual([new Error("the source is down")]);
    expect(await cacheme.get(new Counting(1))).toBe("old");
    expect(loads).toHaveLength(2);
    clock.advance(1_000);
    expect(await cacheme.get(new Counting(1))).toBe("load 3");
  });

  it("lets the hard limit end the load", async () => {
    const made = await space();
    const { clock } = made;
    const { Counting } = slow({ caches: localOnly });
    const errors = await answerOld(made, new Counting(1));
    clock.advance(9_900);
    await settled();
    expect(errors).toMatchObject([{ code: "CACHEME_LOAD_TIMEOUT" }]);
    expect(clock.pending).toBe(0);
  });

  it("makes readers wait if no tier has a value", async () => {
    const { cacheme, clock } = await space();
    const { Counting, gate } = slow({ caches: twoTiers });
    await cacheme.get(new Counting(2));
    const read = cacheme.get(new Counting(1));
    await settled();
    clock.advance(200);
    await settled();
    gate.resolve("first");
    expect(await read).toBe("first");
  });

  it("returns nothing that was invalidated while it was loaded", async () => {
    const { cacheme, clock } = await space();
    const { Counting, gate } = slow({ caches: twoTiers });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    const read = cacheme.get(new Counting(1));
    await settled();
    await cacheme.invalidate(new Counting(1));
    clock.advance(100);
    await settled();
    gate.resolve("overtaken");
    expect(await read).toBe("overtaken");
    expect(await cacheme.get(new Counting(1))).toBe("load 3");
  });

  it("returns nothing that was invalidated while the tiers were read for it", async () => {
    const { cacheme, clock, remote } = await space();
    const gates = [deferred<string>(), deferred<string>()] as const;
    const { Counting, loads } = countingNode<string>(
      { caches: remoteOnly, staleIfError: "1h", loadTimeout: { soft: "100ms", hard: "10s" } },
      (_, load) => (load === 1 ? "old" : gates[load - 2]!.promise),
    );
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    const refresh = cacheme.refresh(new Counting(1));
    await settled();
    const follower = cacheme.get(new Counting(1));
    await settled();
    const held = deferred<void>();
    let holds = 0;
    remote.gate = (operation, at) =>
      operation.startsWith("read") && at === "answer" && holds++ === 0 ? held.promise : undefined;
    clock.advance(100);
    await settled();
    expect(holds).toBe(1);
    await cacheme.invalidate(new Counting(1));
    const after = cacheme.get(new Counting(1));
    await settled();
    expect(loads).toHaveLength(3); // The follower has begun a load of its own.
    held.resolve();
    await settled();
    gates[0].resolve("refreshed");
    gates[1].resolve("load 3");
    expect(await after).toBe("load 3");
    expect(await follower).not.toBe("old");
    expect(await refresh).toBe("refreshed");
    expect(loads).toHaveLength(3);
  });

  it("lets a reader with maxAge, and a refresh, wait for the load", async () => {
    const { cacheme, clock } = await space();
    const { Counting, gate } = slow({ caches: localOnly });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    const strict = cacheme.get(new Counting(1), { maxAge: "1h" });
    const plain = cacheme.get(new Counting(1));
    const refreshed = cacheme.refresh(new Counting(1));
    await settled();
    clock.advance(100);
    expect(await plain).toBe("old");
    gate.resolve("new");
    expect(await strict).toBe("new");
    expect(["new", "load 3"]).toContain(await refreshed);
  });

  it("hands the load to the host", async () => {
    const { cacheme, clock } = await space();
    const work: Promise<unknown>[] = [];
    cacheme.setBackground((promise) => work.push(promise));
    const { Counting, gate } = slow({ caches: localOnly });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    const read = cacheme.get(new Counting(1));
    await settled();
    clock.advance(100);
    await read;
    expect(work).toHaveLength(1);
    gate.resolve("new");
    await work[0];
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe("new");
  });

  it.each([
    [{ loadTimeout: { soft: "1s", hard: "1s" }, staleIfError: "1h" }, "not below the hard 1000 ms"],
    [{ loadTimeout: { soft: "1s" } }, "no stale values"],
    [{ loadTimeout: { warm: "1s" } }, 'an unknown option "warm"'],
  ])("is refused as %j", (meta, message) => expectRefused(meta, message));

  it("may be left out, or the hard limit be false", async () => {
    const { cacheme, clock } = await space();
    const { Counting, gate } = slow({ caches: localOnly, loadTimeout: { hard: false } });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    const read = cacheme.get(new Counting(1));
    await settled();
    clock.advance(50 * minute);
    gate.resolve("late");
    expect(await read).toBe("late");
  });
});
