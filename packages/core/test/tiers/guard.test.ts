import { describe, expect, it } from "vitest";
import { BatchError, Cacheme, StorageError } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { reason } from "../support/reason.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode, remoteOnly } from "../support/space.js";
import { expectNothingUnhandled } from "../support/unhandled.js";
import { VirtualClock } from "../support/virtual-clock.js";

expectNothingUnhandled();

const never = () => new Promise<never>(() => {});
const gone = new Error("gone");

async function guarded(options: Parameters<Cacheme["registerStorage"]>[2] = {}) {
  const clock = new VirtualClock();
  const cacheme = new Cacheme({ clock });
  const remote = new SimulatedRemote(clock);
  await cacheme.registerStorage("remote", remote, options);
  const { Counting, loads } = countingNode({ caches: remoteOnly }, (id) => `value ${id}`);
  const states: string[] = [];
  cacheme.on("breaker", ({ storage, state }) => states.push(`${storage} ${state}`));
  const status = () => cacheme.storages().find(({ name }) => name === "remote");
  const pings = () => remote.count("ping");
  return { clock, cacheme, remote, Counting, loads, states, status, pings };
}

/** A space whose storage has answered once. Before that a call may take longer. */
async function used(options: Parameters<Cacheme["registerStorage"]>[2] = {}) {
  const made = await guarded(options);
  await made.cacheme.get(new made.Counting(0));
  return made;
}

/** Advances the time in steps, so that what one step causes happens before the next. */
async function pass(clock: VirtualClock, milliseconds: number): Promise<void> {
  const step = Math.min(milliseconds, 50);
  for (let passed = 0; passed < milliseconds; passed += step) {
    clock.advance(step);
    await settled();
  }
}

/** Makes so many reads of new keys, one after the other. */
async function fail(count: number, { cacheme, Counting }: Awaited<ReturnType<typeof guarded>>) {
  for (let id = 1_000; id < 1_000 + count; id++) {
    await cacheme.peek(new Counting(id));
  }
}

describe("the deadline of a storage's calls", () => {
  it("answers a read with the load's value if the driver never settles", async () => {
    const { cacheme, clock, remote, Counting } = await used();
    remote.gate = never;
    const read = cacheme.get(new Counting(1));
    await settled();
    expect(remote.count("read")).toBe(2);
    await pass(clock, 250 + 250); // One deadline for the read, one for the write.
    expect(await read).toBe("value 1");
  });

  it("says so in the storage's last error, and marks it as late", async () => {
    const { cacheme, clock, remote, Counting, status } = await used();
    remote.gate = never;
    const read = cacheme.peek(new Counting(1));
    await settled();
    clock.advance(249);
    await settled();
    expect(status()?.failureCount).toBe(0);
    clock.advance(1);
    expect(await read).toBeUndefined();
    expect(status()?.lastError).toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      storage: "remote",
      isLate: true,
      message: expect.stringContaining('Storage "remote" (simulated) did not answer within 250 ms'),
    });
  });

  it("bounds invalidate and set, which name the storage", async () => {
    const { cacheme, clock, remote, Counting } = await used();
    remote.gate = never;
    const calls = [cacheme.invalidate(new Counting(1)), cacheme.set(new Counting(2), "set")];
    const reasons = Promise.all(calls.map(reason));
    await settled();
    await pass(clock, 500); // The failed set removes the key, too.
    expect(await reasons).toMatchObject([
      { code: "CACHEME_INVALIDATION_INCOMPLETE", storages: ["remote"] },
      { code: "CACHEME_WRITE_INCOMPLETE", storages: ["remote"] },
    ]);
  });

  it("bounds close, although a call and the driver's own close never settle", async () => {
    const { cacheme, clock, remote, Counting } = await used();
    remote.gate = never;
    const errors: unknown[] = [];
    cacheme.on("storageError", ({ operation }) => errors.push(operation));
    remote.close = never;
    const read = cacheme.get(new Counting(1));
    await settled();
    const closed = cacheme.close();
    await pass(clock, 250);
    expect(await read).toBe("value 1");
    await pass(clock, 10_000);
    await closed;
    expect(errors).toEqual(["read", "close"]);
  });

  it("counts from the moment when a part of a batch is sent", async () => {
    const { cacheme, clock, remote, Counting, status } = await used();
    const parts: (() => void)[] = [];
    remote.gate = (operation, moment) => {
      if (operation !== "read" || moment !== "answer") return undefined;
      return new Promise<void>((resolve) => parts.push(resolve));
    };
    const ids = Array.from({ length: 8_000 }, (_, id) => new Counting(id + 1));
    const reads = Promise.all(ids.map((node) => cacheme.peek(node)));
    await settled();
    expect(parts).toHaveLength(4); // As many parts as a storage works on at once.
    clock.advance(200);
    for (const answer of parts.splice(0)) answer();
    await settled();
    expect(parts).toHaveLength(4);
    clock.advance(200);
    for (const answer of parts.splice(0)) answer();
    await reads;
    expect(status()?.failureCount).toBe(0);
  });

  it("is longer for the first calls, in which a lazy storage connects", async () => {
    const { cacheme, clock, remote, Counting, loads } = await guarded();
    const connected = deferred();
    remote.gate = () => connected.promise;
    const set = cacheme.set(new Counting(1), "set");
    await settled();
    await pass(clock, 1_900);
    connected.resolve();
    await set;
    remote.gate = never;
    const read = cacheme.get(new Counting(1));
    await settled();
    await pass(clock, 500);
    expect(await read).toBe("value 1");
    expect(loads).toEqual([1]);
  });

  it("takes an answer that arrives with the deadline", async () => {
    const { cacheme, clock, remote, Counting, loads } = await used();
    await cacheme.get(new Counting(1));
    const answer = deferred();
    remote.gate = (_, moment) => (moment === "answer" ? answer.promise : undefined);
    const read = cacheme.get(new Counting(1));
    await settled();
    clock.advance(400);
    answer.resolve(); // As a socket that is read after the timers.
    expect(await read).toBe("value 1");
    expect(loads).toEqual([0, 1]);
  });

  it.each<[string, Parameters<Cacheme["registerStorage"]>[2], number]>([
    ["as registered", { deadline: "2s" }, 2_000],
    ["no shorter than a millisecond", { deadline: 1 }, 1],
  ])("is %s", async (_, options, deadline) => {
    const { cacheme, clock, remote, Counting, status } = await used(options);
    remote.gate = never;
    const read = cacheme.peek(new Counting(1));
    await settled();
    clock.advance(deadline - 1);
    await settled();
    expect(status()?.failureCount).toBe(0);
    clock.advance(1);
    await read;
    expect(status()?.lastError?.message).toContain(`within ${deadline} ms`);
  });

  it("is the commandTimeout that the storage was made with, unless it is given itself", async () => {
    for (const [options, answered] of [
      [{}, 600],
      [{ deadline: 300 }, 300],
    ] as const) {
      const clock = new VirtualClock();
      const cacheme = new Cacheme({ clock });
      const remote = Object.assign(new SimulatedRemote(clock), { deadline: 600 });
      await cacheme.registerStorage("remote", remote, options);
      const { Counting } = countingNode({ caches: remoteOnly }, (id) => `value ${id}`);
      await cacheme.get(new Counting(0));
      remote.gate = never;
      let isOver = false;
      const peeked = cacheme.peek(new Counting(1)).then(() => {
        isOver = true;
      });
      await settled();
      await pass(clock, answered - 50);
      expect(isOver).toBe(false);
      await pass(clock, 50);
      await peeked;
    }
  });

  it("is left to the driver if it is false", async () => {
    const { cacheme, clock, remote, Counting, status } = await used({ deadline: false });
    const answer = deferred();
    remote.gate = () => answer.promise;
    const read = cacheme.get(new Counting(0));
    await settled();
    await pass(clock, 5_000);
    answer.resolve();
    expect(await read).toBe("value 0");
    expect(status()?.failureCount).toBe(0);
  });

  it.each([
    [{ deadline: 0 }, "deadline"],
    [{ deadline: "soon" as never }, "deadline"],
    [{ breaker: { failures: 0 } }, "breaker.failures"],
    [{ breaker: { failures: 1.5 } }, "breaker.failures"],
    [{ breaker: { pause: "-1s" as never } }, "breaker.pause"],
    [{ breaker: { failure: 5 } as never }, 'no option "failure"'],
    [{ breaker: 7 as never }, "breaker"],
  ])("refuses %j", async (options, words) => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    const refused = await reason(cacheme.registerStorage("remote", new SimulatedRemote(clock), options));
    expect(refused).toMatchObject({
      code: expect.stringMatching(/^CACHEME_INVALID_(OPTION|DURATION)$/),
      message: expect.stringContaining(words),
    });
  });

  it("leaves no timer behind", async () => {
    const { cacheme, clock, Counting } = await used();
    await cacheme.getAll([new Counting(1), new Counting(2)]);
    await cacheme.invalidate(new Counting(1));
    expect(clock.pending).toBe(0);
  });
});

describe("the circuit breaker", () => {
  it("opens when the storage has stopped answering, and then costs no reader any time", async () => {
    const made = await used();
    const { cacheme, remote, Counting, states, status } = made;
    remote.gate = () => Promise.reject(gone);
    await fail(5, made);
    expect(states).toEqual(["remote open"]);
    expect(status()).toMatchObject({ breaker: "open", failureCount: 5 });
    const sent = remote.calls.length;
    remote.gate = never;
    expect(await cacheme.get(new Counting(7))).toBe("value 7");
    expect(await reason(cacheme.invalidate(new Counting(8)))).toMatchObject({
      code: "CACHEME_INVALIDATION_INCOMPLETE",
      cause: { code: "CACHEME_BREAKER_OPEN", storage: "remote", cause: gone },
    });
    expect(await reason(cacheme.set(new Counting(9), "x"))).toMatchObject({
      code: "CACHEME_WRITE_INCOMPLETE",
    });
    expect(remote.calls).toHaveLength(sent);
    expect(status()?.failureCount).toBe(5);
  });

  it("tries the storage after a pause, in the background, and closes when it answers", async () => {
    const made = await used({ breaker: { pause: "1s" } });
    const { cacheme, clock, remote, Counting, states, pings, loads } = made;
    remote.gate = () => Promise.reject(gone);
    await fail(5, made);
    await pass(clock, 1_000);
    expect(pings()).toBe(1);
    expect(states).toEqual(["remote open", "remote half-open", "remote open"]);
    remote.gate = () => {};
    await pass(clock, 2_000);
    expect(states.slice(3)).toEqual(["remote half-open", "remote closed"]);
    await cacheme.get(new Counting(0));
    expect(loads).toEqual([0]);
    expect(clock.pending).toBe(0);
  });

  it("gives up a trial at the deadline, and refuses calls meanwhile", async () => {
    const made = await used();
    const { cacheme, clock, remote, Counting, states, status } = made;
    remote.gate = () => Promise.reject(gone);
    await fail(5, made);
    remote.gate = never;
    await pass(clock, 1_000);
    await settled();
    if (status()?.breaker === "half-open") expect(await cacheme.get(new Counting(3))).toBe("value 3");
    await pass(clock, 250);
    expect(states).toEqual(["remote open", "remote half-open", "remote open"]);
  });

  it("doubles the pause while the storage does not answer, up to its longest", async () => {
    const made = await used({ breaker: { pause: "1s", longestPause: "4s" } });
    const { clock, remote, pings } = made;
    remote.gate = () => Promise.reject(gone);
    await fail(5, made);
    await pass(clock, 60_000);
    // At least half of the pause passes, and no more than all of it.
    expect(pings()).toBeGreaterThanOrEqual(2 + Math.floor((60_000 - 3_000) / 4_000));
    expect(pings()).toBeLessThanOrEqual(2 + Math.ceil((60_000 - 1_500) / 2_000));
  });

  it("goes on with the longer pause if only the trial was answered", async () => {
    const made = await used({ breaker: { pause: "1s", longestPause: "1h" } });
    const { clock, remote, pings, states } = made;
    remote.gate = (operation) => (operation === "ping" ? undefined : Promise.reject(gone));
    for (let round = 0; round < 4; round++) {
      await fail(5, made);
      await pass(clock, 1_000 * 2 ** round);
    }
    expect(pings()).toBe(4);
    expect(states.filter((state) => state === "remote closed")).toHaveLength(4);
    await fail(5, made);
    await pass(clock, 7_900);
    expect(pings()).toBe(4);
  });

  it("stays closed if the storage answers more often than not", async () => {
    const made = await used();
    const { remote, cacheme, Counting, states } = made;
    let read = 0;
    remote.gate = (operation, moment) => {
      const fails = operation === "read" && moment === "request" && read++ % 5 < 2;
      return fails ? Promise.reject(gone) : undefined;
    };
    for (let id = 1; id < 100; id++) await cacheme.peek(new Counting(id));
    expect(states).toEqual([]);
  });

  it.each<[string, (keys: readonly string[]) => Error]>([
    ["the server's words", () => new StorageError("CACHEME_STORAGE_FAILED", "OOM", { cause: gone })],
    ["a batch that failed in part", (keys) => new BatchError("OOM", new Set(keys))],
  ])("stays closed if the storage answers with %s", async (_, error) => {
    const made = await used();
    const { remote, cacheme, Counting, states } = made;
    remote.gate = (operation) =>
      operation === "write" ? Promise.reject(error(remote.calls.at(-1)?.keys ?? [])) : undefined;
    for (let id = 1; id < 30; id++) await reason(cacheme.set(new Counting(id), "x"));
    expect(states).toEqual([]);
  });

  it.each<[string, () => Error]>([
    ["a refused connection", () => new StorageError("CACHEME_CONNECT_FAILED", "ECONNREFUSED")],
    ["a driver's own deadline", () => new StorageError("CACHEME_STORAGE_FAILED", "late", { isLate: true })],
  ])("opens after %s", async (_, error) => {
    const made = await used({ breaker: { failures: 3 } });
    made.remote.gate = () => Promise.reject(error());
    await fail(2, made);
    expect(made.states).toEqual([]);
    await fail(1, made);
    expect(made.states).toEqual(["remote open"]);
  });

  it("can be turned off", async () => {
    const made = await used({ breaker: false });
    made.remote.gate = () => Promise.reject(gone);
    await fail(50, made);
    expect(made.states).toEqual([]);
    expect(made.status()?.breaker).toBeUndefined();
    expect(made.status()?.failureCount).toBe(50);
  });

  it("does not depend on the wall clock", async () => {
    const clock = new VirtualClock();
    let shift = 0;
    const wall = {
      now: () => clock.now() + shift,
      elapsed: () => clock.elapsed(),
      schedule: clock.schedule.bind(clock),
    };
    const cacheme = new Cacheme({ clock: wall });
    const remote = new SimulatedRemote(clock);
    await cacheme.registerStorage("remote", remote);
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    remote.gate = () => Promise.reject(gone);
    for (let id = 0; id < 5; id++) await cacheme.peek(new Counting(id));
    const state = () => cacheme.storages()[0]?.breaker;
    expect(state()).toBe("open");
    remote.gate = () => {};
    shift = -3_600_000;
    await pass(clock, 1_000);
    expect(state()).toBe("closed");
  });

  it("stops trying when the space is closed", async () => {
    const made = await used();
    made.remote.gate = () => Promise.reject(gone);
    await fail(5, made);
    await made.cacheme.close();
    expect(made.clock.pending).toBe(0);
    const pings = made.pings();
    await pass(made.clock, 60_000);
    expect(made.pings()).toBe(pings);
  });
});
