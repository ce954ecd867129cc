import { describe, expect, it } from "vitest";
import { Cacheme, memory, type NodeMeta } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { heldReload } from "../support/loading-nodes.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode, localOnly, twoTiers } from "../support/space.js";
import { expectNothingUnhandled } from "../support/unhandled.js";
import { VirtualClock } from "../support/virtual-clock.js";

expectNothingUnhandled();

const minute = 60_000;

/** A space whose host notes each piece of work, and whether it has ended. */
async function hosted() {
  const clock = new VirtualClock();
  const work: { state: "running" | "done" }[] = [];
  const cacheme = new Cacheme({
    clock,
    background: (promise) => {
      const piece: { state: "running" | "done" } = { state: "running" };
      work.push(piece);
      void promise.then(() => {
        piece.state = "done";
      });
    },
  });
  const remote = new SimulatedRemote(clock);
  await cacheme.registerStorage("local", memory());
  await cacheme.registerStorage("remote", remote);
  const states = () => work.map(({ state }) => state);
  return { cacheme, clock, remote, states };
}

describe("background", () => {
  it("gets each revalidation, until its value is stored", async () => {
    const { cacheme, clock, states } = await hosted();
    const { Counting, gate } = heldReload({ caches: twoTiers, staleWhileRevalidate: "1m" });
    await cacheme.get(new Counting(1));
    expect(states()).toEqual([]);
    clock.advance(10 * minute + 1);
    await cacheme.get(new Counting(1));
    await cacheme.get(new Counting(1));
    await settled();
    expect(states()).toEqual(["running"]);
    gate.resolve("new");
    await settled();
    expect(states()).toEqual(["done"]);
  });

  it("gets the touches of a tick, until they are answered", async () => {
    const { cacheme, clock, remote, states } = await hosted();
    const { Counting } = countingNode({ caches: twoTiers, idle: "10s" }, (id) => id);
    await cacheme.getAll([new Counting(1), new Counting(2)]);
    clock.advance(5_000);
    const gate = deferred<void>();
    remote.gate = () => gate.promise;
    await cacheme.getAll([new Counting(1), new Counting(2)]);
    await settled();
    expect(states()).toEqual(["running"]);
    gate.resolve();
    await settled();
    expect(states()).toEqual(["done"]);
    expect(remote.count("touch")).toBe(1);
  });

  it("gets a revalidation that fails, as a promise that resolves", async () => {
    const { cacheme, clock, states } = await hosted();
    const { Counting } = countingNode<string>({ caches: localOnly, staleWhileRevalidate: "1m" }, (_, load) =>
      load === 1 ? "old" : Promise.reject(new Error("the source is down")),
    );
    await cacheme.get(new Counting(1));
    clock.advance(minute + 1);
    await cacheme.get(new Counting(1));
    await settled();
    expect(states()).toEqual(["done"]);
  });

  it("gets removals that are repeated, until they have succeeded", async () => {
    const { cacheme, clock, remote, states } = await hosted();
    const { Counting } = countingNode<string>({ caches: twoTiers }, () => "value");
    await cacheme.get(new Counting(1));
    remote.gate = (operation) =>
      operation === "remove" ? Promise.reject(new Error("the server is down")) : undefined;
    await cacheme.invalidate(new Counting(1)).catch(() => {});
    expect(states()).toEqual(["running"]);
    remote.gate = () => {};
    clock.advance(30_000);
    await settled();
    expect(states()).toEqual(["done"]);
  });

  it("gets fills that no reader waits for", async () => {
    const { cacheme, clock, remote, states } = await hosted();
    const far = new SimulatedRemote(clock, undefined);
    await cacheme.registerStorage("far", Object.assign(far, { label: "far" }));
    const { Counting } = countingNode<string>(
      {
        caches: [
          { storage: "remote", ttl: "1m" },
          { storage: "far", ttl: "10m" },
        ],
      },
      () => "value",
    );
    await cacheme.get(new Counting(1));
    clock.advance(minute + 1);
    const gate = deferred();
    remote.gate = (operation) => (operation === "write" ? gate.promise : undefined);
    await cacheme.get(new Counting(1));
    await settled();
    expect(states()).toEqual(["running"]);
    gate.resolve();
    await settled();
    expect(states()).toEqual(["done"]);
  });

  it("may throw, and is replaced or removed by setBackground", async () => {
    const { cacheme, clock, states } = await hosted();
    const { Counting, loads } = countingNode<string>(
      { caches: localOnly, staleWhileRevalidate: "1m" } satisfies NodeMeta,
      (_, load) => `load ${load}`,
    );
    const warnings: string[] = [];
    const note = (warning: Error) => warnings.push(warning.message);
    process.on("warning", note);
    cacheme.setBackground(() => {
      throw new Error("outside of a request");
    });
    await cacheme.get(new Counting(1));
    clock.advance(minute + 1);
    expect(await cacheme.get(new Counting(1))).toBe("load 1");
    await settled();
    process.off("warning", note);
    expect(warnings).toEqual(["The function `background` has thrown: outside of a request"]);
    cacheme.setBackground(undefined);
    clock.advance(minute + 1);
    await cacheme.get(new Counting(1));
    await settled();
    expect(loads).toHaveLength(3);
    expect(states()).toEqual([]);
  });

  it("refuses anything but a function", () => {
    expect(() => new Cacheme({ background: "waitUntil" as never })).toThrow(
      expect.objectContaining({ code: "CACHEME_INVALID_OPTION" }),
    );
    expect(() => new Cacheme().setBackground({} as never)).toThrow("must be a function");
  });
});
