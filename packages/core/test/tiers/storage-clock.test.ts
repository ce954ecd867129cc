import { describe, expect, it } from "vitest";
import type { Clock } from "../../src/clock.js";
import { StorageClock } from "../../src/tiers/storage-clock.js";
import { deferred, settled } from "../support/deferred.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { VirtualClock } from "../support/virtual-clock.js";

function storageWith(skew: number, { precision }: { precision?: number } = {}) {
  const clock = new VirtualClock();
  const remote = new SimulatedRemote(clock);
  remote.skew = skew;
  if (precision !== undefined) {
    Object.assign(remote, { timePrecision: precision });
    const exact = remote.time.bind(remote);
    remote.time = async () => Math.floor((await exact()) / precision) * precision;
  }
  const wall = { shift: 0 };
  const ours: Clock = {
    now: () => clock.now() + wall.shift,
    elapsed: () => clock.elapsed(),
    schedule: (task, ms) => clock.schedule(task, ms),
  };
  return { clock, remote, wall, storageClock: new StorageClock(remote, ours) };
}

describe("the clock of a storage", () => {
  it("is known by its distance from ours", async () => {
    for (const skew of [3_600_000, -3_600_000]) {
      const { storageClock } = storageWith(skew);
      await storageClock.sample();
      expect(Math.abs(storageClock.offset - skew)).toBeLessThanOrEqual(1);
    }
  });

  it("is known from the answer of another call, too", async () => {
    const { clock, remote, storageClock } = storageWith(3_600_000);
    const answered = storageClock.sent();
    clock.advance(20);
    const time = await remote.time();
    clock.advance(20);
    answered(time);
    expect(Math.abs(storageClock.offset - 3_600_000)).toBeLessThanOrEqual(1);
  });

  it("counts as ours if the round trip explains the distance", async () => {
    const { clock, remote, storageClock } = storageWith(0);
    const answering = deferred();
    remote.gate = (_, moment) => (moment === "answer" ? answering.promise : undefined);
    const sampled = storageClock.sample();
    await settled();
    clock.advance(400);
    answering.resolve();
    await sampled;
    expect(storageClock.offset).toBe(0);
  });

  it("is taken at the middle of a round trip", async () => {
    const { clock, remote, storageClock } = storageWith(60_000);
    const [asking, answering] = [deferred(), deferred()];
    remote.gate = (_, moment) => (moment === "request" ? asking.promise : answering.promise);
    const sampled = storageClock.sample();
    await settled();
    clock.advance(200);
    asking.resolve();
    await settled();
    clock.advance(200);
    answering.resolve();
    await sampled;
    expect(Math.abs(storageClock.offset - 60_000)).toBeLessThanOrEqual(1);
  });

  it("is at most half a tick off if it ticks in seconds", async () => {
    const { clock, storageClock } = storageWith(3_600_000, { precision: 1_000 });
    clock.advance(700);
    await storageClock.sample();
    expect(Math.abs(storageClock.offset - 3_600_000)).toBeLessThanOrEqual(500);
    const equal = storageWith(0, { precision: 1_000 });
    await equal.storageClock.sample();
    expect(equal.storageClock.offset).toBe(0);
  });

  it("is read again after ten minutes, and when our clock was set", async () => {
    const { clock, remote, wall, storageClock } = storageWith(0);
    await storageClock.sample();
    storageClock.check();
    clock.advance(10 * 60_000);
    storageClock.check();
    expect(remote.count("time")).toBe(1);
    clock.advance(1);
    storageClock.check();
    await settled();
    expect(remote.count("time")).toBe(2);
    wall.shift = 3_600_000;
    storageClock.check();
    await settled();
    expect(remote.count("time")).toBe(3);
    expect(Math.abs(storageClock.offset + 3_600_000)).toBeLessThanOrEqual(1);
  });

  it("keeps the sample with the shorter round trip", async () => {
    const { clock, remote, storageClock } = storageWith(60_000);
    await storageClock.sample();
    const before = storageClock.offset;
    const answering = deferred();
    remote.gate = (_, moment) => (moment === "answer" ? answering.promise : undefined);
    const slow = storageClock.sample();
    await settled();
    clock.advance(5_000);
    answering.resolve();
    await slow;
    expect(storageClock.offset).toBe(before);
  });

  it("changes nothing while the storage is in trouble, and is read again", async () => {
    const { remote, storageClock } = storageWith(60_000);
    remote.gate = () => {
      throw new Error("gone");
    };
    await storageClock.known();
    expect([storageClock.offset, storageClock.known()]).toEqual([0, undefined]);
    remote.gate = () => {};
    storageClock.check();
    await settled();
    expect(storageClock.offset).not.toBe(0);
  });
});
