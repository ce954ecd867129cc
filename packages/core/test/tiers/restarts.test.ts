import { describe, expect, it } from "vitest";
import { Cacheme, type ServerRun } from "../../src/index.js";
import { reason } from "../support/reason.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode, remoteOnly } from "../support/space.js";
import { TaggedRemote } from "../support/tagged-remote.js";
import { VirtualClock } from "../support/virtual-clock.js";

/** A storage whose server can be restarted, or replaced by another one. */
class Restartable extends SimulatedRemote {
  run: ServerRun | Error = { id: "first", startedAt: undefined };
  asked = 0;
  readonly runs = {
    connections: 1,
    current: async (): Promise<ServerRun> => {
      this.asked += 1;
      if (this.run instanceof Error) throw this.run;
      return this.run;
    },
  };

  reconnect(run: ServerRun | Error): void {
    this.run = run;
    this.runs.connections += 1;
  }
}

/** A storage that has generations, too. */
class Noting extends TaggedRemote {
  run: ServerRun = { id: "first", startedAt: undefined };
  readonly runs = { connections: 1, current: async (): Promise<ServerRun> => this.run };
}

async function stored(afterRestart: "trust" | "distrust" | undefined) {
  const clock = new VirtualClock();
  const cacheme = new Cacheme({ clock });
  const remote = new Restartable(clock);
  await cacheme.registerStorage("remote", remote, { afterRestart });
  const { Counting, loads } = countingNode({ caches: remoteOnly }, () => "value");
  await cacheme.get(new Counting(1));
  clock.advance(1_000);
  const isHit = async () => (await cacheme.peek(new Counting(1))) !== undefined;
  return { clock, cacheme, remote, Counting, loads, isHit };
}

describe("entries from before a restart of the server", () => {
  it.each(["trust", undefined] as const)("are hits by default, and nothing is asked (%s)", async (option) => {
    const { remote, isHit, clock } = await stored(option);
    remote.reconnect({ id: "second", startedAt: clock.now() });
    expect(await isHit()).toBe(true);
    expect(remote.asked).toBe(0);
  });

  it("are misses with distrust, and newer ones are hits", async () => {
    const { cacheme, clock, remote, Counting, loads, isHit } = await stored("distrust");
    expect(await isHit()).toBe(true);
    remote.reconnect({ id: "second", startedAt: clock.now() });
    clock.advance(10);
    expect(await isHit()).toBe(false);
    clock.advance(10);
    expect(await cacheme.get(new Counting(1))).toBe("value");
    clock.advance(10);
    expect(await isHit()).toBe(true);
    expect(loads).toEqual([1, 1]);
  });

  it("are misses also for a process that began after the restart", async () => {
    const { clock, remote, Counting } = await stored("distrust");
    remote.reconnect({ id: "second", startedAt: clock.now() });
    clock.advance(1_000);
    const later = new Cacheme({ clock });
    await later.registerStorage("remote", remote, { afterRestart: "distrust" });
    expect(await later.peek(new Counting(1))).toBeUndefined();
  });

  it("are misses after a fail-over to a server that has run for long", async () => {
    const { clock, remote, isHit } = await stored("distrust");
    remote.reconnect({ id: "replica", startedAt: clock.now() - 86_400_000 });
    expect(await isHit()).toBe(false);
  });

  it("are hits after a new connection to the same run", async () => {
    const { remote, isHit } = await stored("distrust");
    remote.reconnect({ id: "first", startedAt: undefined });
    expect(await isHit()).toBe(true);
  });

  it("are misses while the server does not tell its run", async () => {
    const { remote, isHit } = await stored("distrust");
    remote.reconnect(new Error("no answer"));
    expect(await isHit()).toBe(false);
    remote.reconnect({ id: "first", startedAt: undefined });
    expect(await isHit()).toBe(true);
  });

  it("are misses with a reason if the server refuses to tell its run", async () => {
    const { cacheme, remote, Counting, loads } = await stored("distrust");
    const events: unknown[] = [];
    cacheme.on("storageError", (event) => events.push(event));
    remote.reconnect(new Error("NOPERM"));
    expect(await cacheme.get(new Counting(1))).toBe("value");
    expect(loads).toEqual([1, 1]);
    const told = { storage: "remote", operation: "run", error: { message: "NOPERM" } };
    expect(events).toMatchObject([told]);
    expect(cacheme.storages().find(({ name }) => name === "remote")).toMatchObject({
      failureCount: 1,
      lastError: { message: "NOPERM" },
    });
    const { origin, tiers } = await cacheme.explain(new Counting(1));
    expect(origin).toBeUndefined();
    expect(tiers).toMatchObject([{ verdict: "distrusted" }]);
  });

  it("are misses for that reason alone while the server answers no read", async () => {
    const { cacheme, remote, Counting } = await stored("distrust");
    const operations: string[] = [];
    cacheme.on("storageError", ({ operation }) => operations.push(operation));
    remote.reconnect(new Error("down"));
    remote.gate = (operation) => {
      if (operation === "read") throw new Error("down");
    };
    expect(await cacheme.get(new Counting(1))).toBe("value");
    expect(operations).toEqual(["read"]);
  });

  it("cost one question for each connection, and none for a read", async () => {
    const { cacheme, remote, Counting } = await stored("distrust");
    for (let read = 0; read < 10; read++) await cacheme.peek(new Counting(1));
    expect(remote.asked).toBe(1);
    remote.reconnect({ id: "first", startedAt: undefined });
    await Promise.all([1, 2, 3].map((id) => cacheme.peek(new Counting(id))));
    expect(remote.asked).toBe(2);
  });

  it("cannot be told by every storage, which is refused", async () => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    const remote = new SimulatedRemote(clock);
    expect(
      await reason(cacheme.registerStorage("remote", remote, { afterRestart: "distrust" })),
    ).toMatchObject({ code: "CACHEME_NOT_OFFERED", storage: "remote" });
    expect(
      await reason(cacheme.registerStorage("remote", remote, { afterRestart: "never" as never })),
    ).toMatchObject({ code: "CACHEME_INVALID_OPTION" });
  });
});

describe("entries from before a server took over, for a process that began afterwards", () => {
  async function tookOver() {
    const clock = new VirtualClock();
    const remote = new Noting(clock);
    const { Counting } = countingNode({ caches: remoteOnly }, () => "value");
    const begun = async () => {
      const cacheme = new Cacheme({ clock });
      await cacheme.registerStorage("remote", remote, { afterRestart: "distrust" });
      return { cacheme, isHit: async (id: number) => (await cacheme.peek(new Counting(id))) !== undefined };
    };
    const first = await begun();
    await first.isHit(0);
    clock.advance(10);
    await first.cacheme.get(new Counting(1));
    clock.advance(1_000);
    return { clock, remote, Counting, first, begun };
  }

  it("are hits if nobody took over", async () => {
    const { begun } = await tookOver();
    const later = await begun();
    expect(await later.isHit(1)).toBe(true);
  });

  it("are misses, and those from after the first process noticed it are hits", async () => {
    const { clock, remote, Counting, first, begun } = await tookOver();
    remote.run = { id: "replica", startedAt: clock.now() - 86_400_000 };
    remote.runs.connections += 1;
    expect(await first.isHit(1)).toBe(false);
    clock.advance(10);
    await first.cacheme.get(new Counting(2));
    clock.advance(1_000);
    const later = await begun();
    expect([await later.isHit(1), await later.isHit(2)]).toEqual([false, true]);
  });

  it("are misses if no process had noticed it", async () => {
    const { clock, remote, begun } = await tookOver();
    remote.run = { id: "replica", startedAt: clock.now() - 86_400_000 };
    const later = await begun();
    expect(await later.isHit(1)).toBe(false);
  });

  it("are misses if the server keeps no note of it, and newer ones are hits", async () => {
    const { clock, remote, Counting, begun } = await tookOver();
    remote.gate = (operation) => {
      if (operation === "ensure") throw new Error("full");
    };
    const later = await begun();
    expect(await later.isHit(1)).toBe(false);
    clock.advance(10);
    await later.cacheme.get(new Counting(2));
    expect(await later.isHit(2)).toBe(true);
  });
});
