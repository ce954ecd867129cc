import { describe, expect, it } from "vitest";
import type { NodeMeta } from "../../src/index.js";
import { settled } from "../support/deferred.js";
import { heldReload } from "../support/loading-nodes.js";
import { countingNode, localOnly, remoteOnly, space, taggedSpace, twoTiers } from "../support/space.js";
import { tierSetups } from "../support/tier-setups.js";
import { twoProcesses } from "../support/two-processes.js";
import { expectNothingUnhandled } from "../support/unhandled.js";

expectNothingUnhandled();

const minute = 60_000;

/** A class whose first load answers, and whose further loads fail while the source is down. */
function flaky(meta: NodeMeta) {
  const source = { isDown: true };
  const node = countingNode<string>({ staleIfError: "1h", ...meta }, (_, load) =>
    load === 1 || !source.isDown ? `load ${load}` : Promise.reject(new Error(`failure ${load}`)),
  );
  return { ...node, source };
}

/** Reads an expired value until so many loads have failed, and returns the pauses after them. */
async function pausesOf(meta: NodeMeta, failures: number): Promise<number[]> {
  const { cacheme, clock } = await space();
  const { Counting } = flaky({ caches: localOnly, ...meta });
  const pauses: number[] = [];
  cacheme.on("revalidateError", ({ backOff }) => pauses.push(backOff));
  await cacheme.get(new Counting(1));
  clock.advance(minute + 1);
  for (let failure = 0; failure < failures; failure++) {
    await cacheme.get(new Counting(1));
    clock.advance(pauses.at(-1)! + 1);
  }
  return pauses;
}

describe("staleIfError", () => {
  it.each(tierSetups)("returns the stale value of %s instead of the load's error", async (_, caches) => {
    const { cacheme, clock } = await space();
    const { Counting } = flaky({ caches });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    const reads = [cacheme.get(new Counting(1)), cacheme.get(new Counting(1))];
    expect(await Promise.all(reads)).toEqual(["load 1", "load 1"]);
    expect(cacheme.stats()).toMatchObject({ missCount: 3, staleCount: 2, loadFailureCount: 1 });
  });

  it("waits for the load first", async () => {
    const { cacheme, clock } = await space();
    const { Counting, source } = flaky({ caches: localOnly });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute);
    source.isDown = false;
    expect(await cacheme.get(new Counting(1))).toBe("load 2");
  });

  it.each([
    ["a local tier", localOnly, 61 * minute],
    ["a remote tier", remoteOnly, 70 * minute],
  ])("bounds the whole age in %s", async (_, caches, longest) => {
    const { cacheme, clock } = await space();
    const { Counting } = flaky({ caches });
    await cacheme.get(new Counting(1));
    clock.advance(longest - 1);
    expect(await cacheme.get(new Counting(1))).toBe("load 1");
    clock.advance(1);
    await expect(cacheme.get(new Counting(1))).rejects.toThrow("failure 3");
  });

  it.each(tierSetups)("returns the value of %s at once while the source is left alone", async (_, caches) => {
    const { cacheme, clock } = await space();
    const { Counting, loads, source } = flaky({ caches });
    const backOffs: number[] = [];
    cacheme.on("revalidateError", ({ backOff }) => backOffs.push(backOff));
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    await cacheme.get(new Counting(1));
    for (let read = 0; read < 5; read++) expect(await cacheme.get(new Counting(1))).toBe("load 1");
    await settled();
    expect(loads).toHaveLength(2);
    expect(backOffs).toHaveLength(1);
    source.isDown = false;
    clock.advance(backOffs[0]! + 1);
    expect(await cacheme.get(new Counting(1))).toBe("load 3");
  });

  it("lets the pauses grow to a bound", async () => {
    const pauses = await pausesOf({ staleIfError: "1d" }, 10);
    expect(pauses).toHaveLength(10);
    expect(pauses[9]).toBeGreaterThanOrEqual(15_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(30_000);
  });

  it("takes its longest pause from the meta", async () => {
    const pauses = await pausesOf({ staleBackOff: "200ms" }, 5);
    expect(pauses).toHaveLength(5);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(200);
  });

  it("rejects what was invalidated, also while it was loaded", async () => {
    const { cacheme, clock } = await space();
    const { Counting, gate } = heldReload({ caches: twoTiers, staleIfError: "1h" });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    const read = cacheme.get(new Counting(1));
    await settled();
    await cacheme.invalidate(new Counting(1));
    gate.reject(new Error("the source is down"));
    await expect(read).rejects.toThrow("the source is down");
    await expect(cacheme.get(new Counting(1))).rejects.toThrow("the source is down");
  });

  it("rejects what another process has removed while it was loaded", async () => {
    const { clock, one, other } = await twoProcesses();
    const { Counting, gate } = heldReload({ caches: remoteOnly, staleIfError: "1h" });
    await one.cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    const read = one.cacheme.get(new Counting(1));
    await settled();
    await other.cacheme.invalidate(new Counting(1));
    gate.reject(new Error("the source is down"));
    await expect(read).rejects.toThrow("the source is down");
  });

  it("rejects a value whose tag was invalidated while it was loaded", async () => {
    const { cacheme, clock } = await taggedSpace();
    const { Counting, gate } = heldReload({ caches: twoTiers });
    class Tagged extends Counting {
      static override meta: NodeMeta = { name: "tagged", caches: twoTiers, staleIfError: "1h" };
      override tags() {
        return ["team:7"];
      }
    }
    await cacheme.get(new Tagged(1));
    clock.advance(10 * minute + 1);
    const read = cacheme.get(new Tagged(1));
    await settled();
    await cacheme.invalidateTags("team:7");
    gate.reject(new Error("the source is down"));
    await expect(read).rejects.toThrow("the source is down");
  });

  it("gives the error to a refresh and to a reader with maxAge", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = flaky({ caches: twoTiers });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    await expect(cacheme.refresh(new Counting(1))).rejects.toThrow("failure 2");
    const strict = cacheme.get(new Counting(1), { maxAge: "1h" });
    const plain = cacheme.get(new Counting(1));
    await expect(strict).rejects.toThrow("failure 3");
    expect(await plain).toBe("load 1");
  });

  it("serves plain readers that wait for a refresh", async () => {
    const { cacheme, clock } = await space();
    const { Counting, loads } = flaky({ caches: localOnly });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    const refreshed = cacheme.refresh(new Counting(1));
    const plain = cacheme.get(new Counting(1));
    await expect(refreshed).rejects.toThrow("failure 2");
    expect(await plain).toBe("load 1");
    expect(loads).toHaveLength(2);
  });

  it("serves a stale value when the remote storage is down, too", async () => {
    const { cacheme, clock, remote } = await space();
    const { Counting } = flaky({ caches: twoTiers });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    remote.gate = () => Promise.reject(new Error("the server is down"));
    expect(await cacheme.get(new Counting(1))).toBe("load 1");
  });

  it("rejects if the only tier with the value is down", async () => {
    const { cacheme, clock, remote } = await space();
    const { Counting } = flaky({ caches: remoteOnly });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 1);
    remote.gate = () => Promise.reject(new Error("the server is down"));
    await expect(cacheme.get(new Counting(1))).rejects.toThrow("failure 2");
  });

  it("serves getSync, and backs off there as well", async () => {
    const { cacheme, clock } = await space();
    let loads = 0;
    const { Counting } = countingNode<string>({ caches: localOnly, staleIfError: "1h" }, () => "unused");
    const read = () =>
      cacheme.getSync(new Counting(1) as InstanceType<typeof Counting> & { load(): string }, {
        load: () => {
          loads += 1;
          if (loads > 1) throw new Error("the source is down");
          return "old";
        },
      });
    expect(read()).toBe("old");
    clock.advance(minute + 1);
    expect(read()).toBe("old");
    expect(read()).toBe("old");
    expect(loads).toBe(2);
    await cacheme.invalidate(new Counting(1));
    expect(read).toThrow("the source is down");
  });

  it("answers a list place by place", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode<string>({ caches: twoTiers, staleIfError: "1h" }, (id, load) =>
      load <= 2 ? `value of ${id}` : Promise.reject(new Error(`failure of ${id}`)),
    );
    await cacheme.getAll([new Counting(1), new Counting(2)]);
    clock.advance(10 * minute + 1);
    const outcomes = await cacheme.getAllSettled([1, 2, 3].map((id) => new Counting(id)));
    expect(outcomes).toMatchObject([
      { value: "value of 1" },
      { value: "value of 2" },
      { reason: new Error("failure of 3") },
    ]);
  });

  it("takes the longer of the two windows", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = flaky({ caches: localOnly, staleIfError: "1m", staleWhileRevalidate: "10m" });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute);
    expect(await cacheme.get(new Counting(1))).toBe("load 1");
    await settled();
    expect(await cacheme.get(new Counting(1))).toBe("load 1");
  });
});
