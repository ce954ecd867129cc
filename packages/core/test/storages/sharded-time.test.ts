import { describe, expect, it } from "vitest";
import { sharded } from "../../src/index.js";
import { deferred } from "../support/deferred.js";
import { reason } from "../support/reason.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { VirtualClock } from "../support/virtual-clock.js";

/** Makes shards whose clocks are so far ahead. */
function clocks(...skews: number[]): SimulatedRemote[] {
  const clock = new VirtualClock();
  return skews.map((skew) => Object.assign(new SimulatedRemote(clock), { skew }));
}

/** Rejects every call from now on. */
function fail(storage: SimulatedRemote, message = "down"): void {
  storage.gate = () => {
    throw new Error(message);
  };
}

describe("the time of a sharded storage", () => {
  it("is that of the first shard by name, whatever the order of the list", async () => {
    const [a, b] = clocks(60_000, -60_000);
    const shards = [
      { storage: a!, name: "a" },
      { storage: b!, name: "b" },
    ];
    const time = await a!.time();
    expect(await sharded(shards).time()).toBe(time);
    expect(await sharded(shards.toReversed()).time()).toBe(time);
  });

  it("is that of the next shard if the first is down or hangs until its deadline, with concurrent requests", async () => {
    const [a, b, c] = clocks(1000, 2000, 3000);
    const storage = sharded([a!, b!, c!].map((storage, index) => ({ storage, name: `shard ${index}` })));
    const [, second, third] = [await a!.time(), await b!.time(), await c!.time()];
    fail(a!);
    expect(await storage.time()).toBe(second);
    const deadline = deferred<void>();
    a!.gate = () => deadline.promise;
    fail(b!);
    const time = storage.time();
    await Promise.resolve();
    expect(c!.count("time")).toBe(3);
    deadline.reject(new Error("no answer"));
    expect(await time).toBe(third);
  });

  it("rejects with the first shard's error if all are down, and after close", async () => {
    const [a, b] = clocks(0, 0);
    const storage = sharded([
      { storage: b!, name: "b" },
      { storage: a!, name: "a" },
    ]);
    fail(a!, "a is down");
    fail(b!, "b is down");
    expect(await reason(storage.time())).toMatchObject({ message: "a is down" });
    await storage.close();
    expect(await reason(storage.time())).toMatchObject({ code: "CACHEME_CLOSED" });
  });
});
