import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Reconnector, type ReconnectorOptions } from "../../src/driver.js";
import { reason } from "../support/reason.js";

vi.mock("../../src/timers.js", () => import("../support/global-timers.js"));
beforeEach(() => {
  vi.useFakeTimers();
  // No pause is shortened.
  vi.spyOn(Math, "random").mockReturnValue(1);
});
afterEach(() => void vi.useRealTimers());

function connection(options: Partial<ReconnectorOptions> = {}) {
  const dial = vi.fn();
  const hangUp = vi.fn();
  const machine = new Reconnector({ connectTimeout: 1000, dial, hangUp, ...options });
  return { machine, dial, hangUp };
}

const refused = new Error("refused");

describe("a connection that does not exist yet", () => {
  it("is dialled once for all waiting calls, and settles them together", async () => {
    const { machine, dial } = connection();
    const both = Promise.all([machine.untilReady(), machine.untilReady()]);
    expect(dial).toHaveBeenCalledTimes(1);
    machine.ready();
    await both;
    expect(machine.isReady).toBe(true);
    await machine.untilReady();
    expect(dial).toHaveBeenCalledTimes(1);
  });

  it("is not dialled again by itself before a first success, and has no failure", async () => {
    const { machine, dial } = connection();
    const waiting = reason(machine.untilReady());
    machine.lost(refused);
    expect(await waiting).toBe(refused);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(dial).toHaveBeenCalledTimes(1);
    expect(machine.failure).toBeUndefined();
    machine.untilReady().catch(() => {});
    expect(dial).toHaveBeenCalledTimes(2);
  });

  it("is hung up when its time has passed", async () => {
    const { machine, hangUp } = connection();
    const waiting = reason(machine.untilReady());
    await vi.advanceTimersByTimeAsync(999);
    expect(hangUp).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    const [tooLong] = hangUp.mock.calls[0] ?? [];
    expect(tooLong).toMatchObject({ code: "ETIMEDOUT", message: "no answer within 1000 ms" });
    machine.lost(tooLong);
    expect(await waiting).toBe(tooLong);
  });

  it("tells an attempt by its signal that it has failed, that its connection was lost, or that it is closed", () => {
    const { machine, dial } = connection();
    const lives = (): boolean[] => dial.mock.calls.map(([life]) => !life.aborted);
    machine.persist();
    expect(lives()).toEqual([true]);
    machine.lost(refused);
    expect(lives()).toEqual([false]);
    vi.advanceTimersByTime(50);
    machine.ready();
    expect(lives()).toEqual([false, true]);
    machine.lost(refused);
    expect(lives()).toEqual([false, false, true]);
    machine.close();
    expect(lives()).toEqual([false, false, false]);
  });

  it("is dialled in the background if it is to persist, with growing pauses", async () => {
    const { machine, dial } = connection();
    machine.persist();
    machine.persist();
    expect(dial).toHaveBeenCalledTimes(1);
    for (const pause of [50, 100, 200, 400, 800, 1600, 2000, 2000]) {
      dial.mockClear();
      machine.lost(refused);
      expect(machine.failure).toBe(refused);
      await vi.advanceTimersByTimeAsync(pause - 1);
      expect(dial).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      expect(dial).toHaveBeenCalledTimes(1);
    }
    machine.ready();
    expect(machine.failure).toBeUndefined();
  });
});

describe("a lost connection", () => {
  it("is dialled at once, and calls wait for the outcome", async () => {
    const { machine, dial } = connection();
    machine.ready();
    machine.lost(refused);
    expect([machine.isReady, machine.failure, dial.mock.calls.length]).toEqual([false, undefined, 1]);
    const waiting = machine.untilReady();
    expect(dial).toHaveBeenCalledTimes(1);
    machine.ready();
    await waiting;
  });

  it("fails calls once the attempt has failed, until the server is back", async () => {
    const { machine } = connection();
    machine.ready();
    machine.lost(new Error("cut"));
    const waiting = reason(machine.untilReady());
    machine.lost(refused);
    expect(await waiting).toBe(refused);
    expect(machine.failure).toBe(refused);
    machine.ready();
    expect(machine.failure).toBeUndefined();
  });

  it("begins with short pauses again after each success", async () => {
    const { machine, dial } = connection();
    machine.ready();
    for (let outage = 0; outage < 3; outage++) {
      machine.lost(new Error("cut"));
      machine.lost(refused);
      dial.mockClear();
      await vi.advanceTimersByTimeAsync(50);
      expect(dial).toHaveBeenCalledTimes(1);
      machine.ready();
    }
  });

  it("counts as a failure at once if the server was silent", () => {
    const { machine, dial } = connection();
    machine.ready();
    machine.lost(refused, { isSilent: true });
    expect(machine.failure).toBe(refused);
    expect(dial).not.toHaveBeenCalled();
  });
});

describe("a client that reconnects by itself", () => {
  it("is never dialled in the background nor hung up, and its failure lasts until it is back", async () => {
    const { machine, dial, hangUp } = connection({ isForeign: true });
    const waiting = reason(machine.untilReady());
    expect(dial).toHaveBeenCalledTimes(1);
    machine.lost(refused);
    expect(await waiting).toBe(refused);
    expect(machine.failure).toBe(refused);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([dial.mock.calls.length, hangUp.mock.calls.length]).toEqual([1, 0]);
    machine.ready();
    expect([machine.isReady, machine.failure]).toEqual([true, undefined]);
  });
});

describe("a closed connection", () => {
  it("rejects waiting and new calls, and dials no more", async () => {
    const { machine, dial } = connection({ isPersistent: true });
    const waiting = reason(machine.untilReady());
    machine.close();
    expect(await waiting).toMatchObject({ message: "the storage was closed" });
    expect(await reason(machine.untilReady())).toMatchObject({ message: "the storage was closed" });
    machine.lost(refused);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(dial).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that waited for its next attempt makes none", async () => {
    const { machine, dial } = connection();
    machine.persist();
    machine.lost(refused);
    machine.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(dial).toHaveBeenCalledTimes(1);
  });
});
