import { describe, expect, it, vi } from "vitest";
import { Cacheme, memory, type NodeMeta, type WarmScheduleOptions } from "../../src/index.js";
import { LeasedRemote } from "../support/leased-remote.js";
import { reason } from "../support/reason.js";
import { countingNode, remoteOnly, space } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

const minute = 60_000;
const everyFive = "*/5 * * * *";
const start = Date.UTC(2026, 0, 1);

async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** The processes of a cluster, each with its clock, on one server. */
async function cluster(behind: readonly number[] = [0], meta: NodeMeta = {}) {
  const serverClock = new VirtualClock(start);
  const server = new LeasedRemote(serverClock);
  let source: () => Promise<string> | string = () => "value";
  const processes = await Promise.all(
    behind.map(async (late) => {
      const clock = new VirtualClock(start - late);
      const remote = new LeasedRemote(serverClock, server);
      const cacheme = new Cacheme({ clock });
      await cacheme.registerStorage("local", memory());
      await cacheme.registerStorage("remote", remote);
      const { Counting, loads } = countingNode<string>({ caches: remoteOnly, ...meta }, () => source());
      return { cacheme, clock, remote, Counting, loads };
    }),
  );
  const advance = async (ms: number) => {
    serverClock.advance(ms);
    for (const { clock } of processes) clock.advance(ms);
    await settle();
  };
  const from = (change: typeof source) => {
    source = change;
  };
  const [first] = processes as [(typeof processes)[0]];
  return { processes, first, server, advance, from };
}

describe("warmOnSchedule", () => {
  it("warms at each time of the pattern, and tells how it went", async () => {
    const { first, advance } = await cluster();
    const { cacheme, Counting, loads } = first;
    let ids = [1, 2];
    const schedule = await cacheme.warmOnSchedule(everyFive, () => ids.map((id) => new Counting(id)));
    expect(schedule.status()).toEqual({
      isRunning: false,
      nextRun: start + 5 * minute,
      lastRun: undefined,
      lastReport: undefined,
      lastError: undefined,
      runs: 0,
      skipped: 0,
    });
    await advance(4 * minute);
    expect(loads).toEqual([]);
    await advance(minute);
    expect(loads.toSorted()).toEqual([1, 2]);
    ids = [1, 2, 3];
    await advance(5 * minute);
    expect(loads.toSorted()).toEqual([1, 2, 3]);
    expect(schedule.status()).toMatchObject({
      nextRun: start + 15 * minute,
      lastRun: start + 10 * minute,
      lastReport: { warmed: 1, fresh: 2, failed: 0, total: 3, duration: 0 },
      runs: 2,
      skipped: 0,
    });
  });

  it("runs in one process of a cluster, also if their clocks differ", async () => {
    const { processes, advance } = await cluster([0, 20_000, 50_000]);
    const options: WarmScheduleOptions = { name: "users", storage: "remote" };
    await advance(minute);
    const schedules = await Promise.all(
      processes.map(({ cacheme, Counting }) =>
        cacheme.warmOnSchedule(everyFive, () => [new Counting(1)], options),
      ),
    );
    for (let step = 0; step < 2 * 9; step++) await advance(minute / 2);
    await advance(minute);
    const runs = schedules.map((schedule) => schedule.status().runs);
    expect(runs.reduce((sum, each) => sum + each)).toBe(2);
    const skipped = schedules.map((schedule) => schedule.status().skipped);
    expect(skipped.reduce((sum, each) => sum + each)).toBe(4);
  });

  it("keeps schedules of other names apart", async () => {
    const { first, advance } = await cluster();
    const { cacheme, Counting } = first;
    const nodes = () => [new Counting(1)];
    const one = await cacheme.warmOnSchedule(everyFive, nodes, { name: "one", storage: "remote" });
    const other = await cacheme.warmOnSchedule(everyFive, nodes, { name: "other", storage: "remote" });
    await advance(5 * minute);
    expect([one.status().runs, other.status().runs]).toEqual([1, 1]);
  });

  it("reports the error of the nodes or of the lease, and runs again next time", async () => {
    const { first, advance } = await cluster();
    const { cacheme, Counting, remote } = first;
    let failure: Error | undefined = new Error("no rows");
    const errors: string[] = [];
    const nodes = async () => {
      if (failure !== undefined) throw failure;
      return [new Counting(1)];
    };
    const onError = (error: Error) => errors.push(error.message);
    const schedule = await cacheme.warmOnSchedule(everyFive, nodes, {
      name: "a",
      storage: "remote",
      onError,
    });
    await advance(5 * minute);
    expect(schedule.status()).toMatchObject({ lastError: { message: "no rows" }, runs: 1 });
    failure = undefined;
    await advance(5 * minute);
    expect(schedule.status()).toMatchObject({ lastError: undefined, runs: 2, lastReport: { warmed: 1 } });
    remote.gate = (operation) => {
      if (operation === "acquire") throw new Error("server is away");
    };
    await advance(5 * minute);
    expect(schedule.status()).toMatchObject({ runs: 2, lastReport: { warmed: 1 } });
    expect(schedule.status().lastError?.message).toContain("server is away");
    expect(errors).toHaveLength(2);
  });

  it("survives an onError that throws", async () => {
    const { first, advance } = await cluster();
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const nodes = () => {
      throw new Error("no rows");
    };
    const onError = () => {
      throw new Error("cannot report");
    };
    const schedule = await first.cacheme.warmOnSchedule(everyFive, nodes, { onError });
    await advance(5 * minute);
    expect(schedule.status().lastError?.message).toBe("no rows");
    expect(String(warn.mock.calls[0]?.[0])).toContain("cannot report");
    warn.mockRestore();
  });

  it("skips a time at which the run before still goes on", async () => {
    const { first, advance, from } = await cluster([0], { loadTimeout: false });
    let release = (_value: string) => {};
    from(() => new Promise<string>((resolve) => (release = resolve)));
    const schedule = await first.cacheme.warmOnSchedule(everyFive, () => [new first.Counting(1)]);
    await advance(5 * minute);
    expect(schedule.status()).toMatchObject({ isRunning: true, runs: 1 });
    await advance(5 * minute);
    expect(schedule.status()).toMatchObject({ isRunning: true, runs: 1, skipped: 1 });
    release("value");
    await settle();
    expect(schedule.status().isRunning).toBe(false);
  });

  it("ends by stop and by close, with its timer", async () => {
    const { first, advance } = await cluster();
    const { cacheme, Counting, clock, loads } = first;
    const { pending } = clock;
    const stopped = await cacheme.warmOnSchedule(everyFive, () => [new Counting(1)]);
    await stopped.stop();
    expect(clock.pending).toBe(pending);
    expect(stopped.status().nextRun).toBeUndefined();
    const closed = await cacheme.warmOnSchedule(everyFive, () => [new Counting(1)]);
    await cacheme.close();
    await advance(10 * minute);
    expect(loads).toEqual([]);
    expect(closed.status().nextRun).toBeUndefined();
    const late = cacheme.warmOnSchedule(everyFive, () => []);
    expect(await reason(late)).toMatchObject({ code: "CACHEME_CLOSED" });
  });

  it("ends by stop while its nodes never come", async () => {
    const { first, advance } = await cluster();
    const never = () => new Promise<never>(() => {});
    async function* stuck() {
      yield await never();
    }
    for (const nodes of [never, stuck]) {
      const schedule = await first.cacheme.warmOnSchedule(everyFive, nodes);
      await advance(5 * minute);
      expect(schedule.status()).toMatchObject({ isRunning: true });
      await schedule.stop();
      expect(schedule.status()).toMatchObject({ isRunning: false, lastError: undefined });
    }
  });

  it("knows time zones, and waits for a time that is months away", async () => {
    const { first, advance } = await cluster();
    const { cacheme, Counting, loads } = first;
    const schedule = await cacheme.warmOnSchedule("0 8 1 7 *", () => [new Counting(1)], {
      timezone: "Europe/Berlin",
    });
    expect(schedule.status().nextRun).toBe(Date.UTC(2026, 6, 1, 6));
    await advance(180 * 24 * 60 * minute);
    expect(loads).toEqual([]);
    await advance(2 * 24 * 60 * minute);
    expect(loads).toEqual([1]);
  });

  it.each<[string, WarmScheduleOptions, string, RegExp]>([
    ["every minute", {}, "CACHEME_INVALID_OPTION", /cron pattern such as/],
    [
      everyFive,
      { timezone: "Mars/Base" },
      "CACHEME_INVALID_OPTION",
      /time zone, such as .* got "Mars\/Base"/,
    ],
    [everyFive, { timezone: "" }, "CACHEME_INVALID_OPTION", /time zone/],
    [everyFive, null as unknown as WarmScheduleOptions, "CACHEME_INVALID_OPTION", /options, got null/],
    ["0 0 30 2 *", {}, "CACHEME_INVALID_OPTION", /"0 0 30 2 \*", which never does/],
    [everyFive, { storage: "remote" }, "CACHEME_INVALID_OPTION", /a name with its storage/],
    [everyFive, { name: "a b" }, "CACHEME_INVALID_OPTION", /a name of 1 to 60 characters/],
    [everyFive, { rate: 0 }, "CACHEME_INVALID_OPTION", /as rate, got 0/],
    [everyFive, { name: "a", storage: "nowhere" }, "CACHEME_UNKNOWN_STORAGE", /nowhere/],
    [everyFive, { name: "a", storage: "local" }, "CACHEME_NOT_OFFERED", /with leases, got "local"/],
    [everyFive, { name: "a", storage: "remote" }, "CACHEME_NOT_OFFERED", /with leases, got "remote"/],
  ])("refuses %s with %o", async (pattern, options, code, message) => {
    const { cacheme } = await space(); // Its remote storage has no leases.
    const error = await reason(cacheme.warmOnSchedule(pattern, () => [], options));
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toMatch(message);
  });
});
