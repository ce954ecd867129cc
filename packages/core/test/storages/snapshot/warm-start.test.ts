import { describe, expect, it } from "vitest";
import { compressed, memoryBus, msgpack } from "../../../src/index.js";
import { TaggedRemote } from "../../support/tagged-remote.js";
import { VirtualClock } from "../../support/virtual-clock.js";
import { Run, SnapshotFolder } from "./snapshot-space.js";

const hour = 3_600_000;

/** Loads users in one run, ends it, and begins the next one after a time. */
async function restarted(folder: SnapshotFolder, down = 0, ids = [1, 2, 3]): Promise<Run> {
  const clock = new VirtualClock();
  const first = await Run.begin(clock, folder.file);
  const User = first.userClass();
  await first.cacheme.getAll(ids.map((id) => new User(id)));
  await first.cacheme.close();
  clock.advance(down);
  return Run.begin(clock, folder.file);
}

describe("memory with a snapshot", () => {
  it("answers from the values that the last process had at close, without a load", async () => {
    using folder = new SnapshotFolder();
    const run = await restarted(folder);
    const User = run.userClass();
    expect(await run.cacheme.get(new User(1))).toEqual({ name: "user 1, load 1" });
    expect(run.cacheme.peekLocal(new User(2))).toMatchObject({ value: { name: "user 2, load 2" } });
    expect(run.loads).toEqual([]);
    expect(run.events).toMatchObject([{ operation: "read", entries: 3, keys: 0, leftOut: 0 }]);
  });

  it("saves on request, also for a process that is killed afterwards", async () => {
    using folder = new SnapshotFolder();
    const clock = new VirtualClock();
    const first = await Run.begin(clock, folder.file);
    const User = first.userClass();
    await first.cacheme.get(new User(1));
    expect(await first.local.saveSnapshot()).toMatchObject({ entries: 1, keys: 0, leftOut: 0 });

    const second = await Run.begin(clock, folder.file);
    const Again = second.userClass();
    await second.cacheme.get(new Again(1));
    expect(second.loads).toEqual([]);
  });

  it("saves at intervals", async () => {
    using folder = new SnapshotFolder();
    const clock = new VirtualClock();
    const run = await Run.begin(clock, { file: folder.file, interval: "1m" });
    const saved = new Promise((resolve) => run.cacheme.on("snapshot", resolve));
    clock.advance(60_000);
    expect(await saved).toMatchObject({ operation: "save" });
  });

  it("lets reads restart the idle time, and the ttl bound it, as before", async () => {
    using folder = new SnapshotFolder();
    const clock = new VirtualClock();
    const meta = { caches: [{ storage: "local" }], idle: "10s", ttl: "1m" } as const;
    const first = await Run.begin(clock, folder.file);
    const User = first.userClass(meta);
    await first.cacheme.getAll([new User(1), new User(2)]);
    await first.cacheme.close();

    const second = await Run.begin(clock, folder.file);
    const Again = second.userClass(meta);
    const ages: number[] = [];
    expect(second.cacheme.peekLocal(new Again(2))).toBeDefined();
    for (let age = 0; second.loads.length === 0; age += 5) {
      expect(second.cacheme.peekLocal(new Again(2)) !== undefined).toBe(age <= 10);
      await second.cacheme.get(new Again(1));
      ages.push(age);
      clock.advance(5_000);
    }
    expect(ages.at(-1)).toBe(60);
  });

  it("counts the time in which no process ran: a ttl ends, and ends when it would have ended", async () => {
    using folder = new SnapshotFolder();
    const late = await restarted(folder, hour);
    const User = late.userClass();
    expect(late.events).toMatchObject([{ entries: 0, leftOut: 3 }]);
    await late.cacheme.get(new User(1));
    expect(late.loads).toEqual(["1"]);

    using other = new SnapshotFolder();
    const soon = await restarted(other, hour - 10);
    const Soon = soon.userClass();
    await soon.cacheme.get(new Soon(1));
    soon.clock.advance(10);
    await soon.cacheme.getAll([new Soon(1), new Soon(2)]);
    expect(soon.loads).toEqual(["1", "2"]);
  });

  it("does not return values that seem to come from the future, because the clock was set", async () => {
    using folder = new SnapshotFolder();
    await (await restarted(folder)).cacheme.close();
    const run = await Run.begin(new VirtualClock(Date.UTC(2025, 0, 1)), folder.file);
    const User = run.userClass();
    await run.cacheme.get(new User(1));
    expect(run.loads).toEqual(["1"]);
  });

  it("keeps values that nobody has read through several starts", async () => {
    using folder = new SnapshotFolder();
    await (await restarted(folder)).cacheme.close();
    const third = await Run.begin(new VirtualClock(), folder.file);
    const User = third.userClass();
    await third.cacheme.get(new User(3));
    expect(third.loads).toEqual([]);
  });

  it("keeps no value of another version, name or prefix", async () => {
    using folder = new SnapshotFolder();
    const run = await restarted(folder);
    for (const meta of [{ version: 2 }, { name: "customer" }]) {
      const Other = run.userClass(meta);
      await run.cacheme.get(new Other(1));
    }
    expect(run.loads).toEqual(["1", "1"]);
    await run.cacheme.close();

    const prefixed = await Run.begin(run.clock, folder.file);
    prefixed.cacheme.setPrefix("other");
    const User = prefixed.userClass();
    await prefixed.cacheme.get(new User(1));
    expect(prefixed.loads).toEqual(["1"]);
  });

  it("writes values by the class's serializer, and leaves out what it cannot carry", async () => {
    using folder = new SnapshotFolder();
    const clock = new VirtualClock();
    const first = await Run.begin(clock, folder.file);
    const User = first.userClass({ serializer: compressed(msgpack(), { threshold: 1 }) });
    await first.cacheme.set(new User(1), { name: "a".repeat(10_000) });
    await first.cacheme.set(new User(2), { name: (() => "no value") as unknown as string });
    const { entries, leftOut, bytes } = await first.local.saveSnapshot();
    expect({ entries, leftOut }).toEqual({ entries: 1, leftOut: 1 });
    expect(bytes).toBeLessThan(2_000);

    const second = await Run.begin(clock, folder.file);
    const Again = second.userClass({ serializer: compressed(msgpack(), { threshold: 1 }) });
    expect(await second.cacheme.get(new Again(1))).toEqual({ name: "a".repeat(10_000) });
  });

  it.each(["frozen", "shared", "cloned"] as const)(
    "gives readers values in their form: %s",
    async (values) => {
      using folder = new SnapshotFolder();
      await (await restarted(folder)).cacheme.close();
      const run = await Run.begin(new VirtualClock(), folder.file, { values });
      const User = run.userClass();
      const [one, other] = [await run.cacheme.get(new User(1)), await run.cacheme.get(new User(1))];
      expect(run.loads).toEqual([]);
      expect(Object.isFrozen(one)).toBe(values === "frozen");
      expect(one === other).toBe(values !== "cloned");
    },
  );

  it("keeps the frequencies: what was read often survives a scan after the start", async () => {
    using folder = new SnapshotFolder();
    const clock = new VirtualClock();
    const first = await Run.begin(clock, folder.file, { maxSize: 100 });
    const User = first.userClass();
    for (let round = 0; round < 10; round++)
      for (let id = 0; id < 50; id++) await first.cacheme.get(new User(id));
    await first.cacheme.close();

    const second = await Run.begin(clock, folder.file, { maxSize: 100 });
    const Again = second.userClass();
    for (let id = 1_000; id < 3_000; id++) await second.cacheme.get(new Again(id));
    second.loads.length = 0;
    for (let id = 0; id < 50; id++) await second.cacheme.get(new Again(id));
    expect(second.loads.length).toBeLessThan(5);
  });

  it("is bounded: by entries, by bytes, and by the size of the storage that reads it", async () => {
    using folder = new SnapshotFolder();
    const clock = new VirtualClock();
    const first = await Run.begin(clock, { file: folder.file, maxEntries: 10 });
    const User = first.userClass();
    await first.cacheme.getAll(Array.from({ length: 50 }, (_, id) => new User(id)));
    expect(await first.local.saveSnapshot()).toMatchObject({ entries: 10, leftOut: 40 });
    const small = await Run.begin(clock, folder.file, { maxSize: 4 });
    expect(small.events).toMatchObject([{ entries: 4, leftOut: 6 }]);

    using other = new SnapshotFolder();
    const bytes = await Run.begin(clock, { file: other.file, maxBytes: 1_000 });
    const Bytes = bytes.userClass();
    await bytes.cacheme.getAll(Array.from({ length: 50 }, (_, id) => new Bytes(id)));
    const report = await bytes.local.saveSnapshot();
    expect(report.bytes).toBeLessThan(1_500);
    expect(report.entries + report.leftOut).toBe(50);
  });

  it("goes on with the program while it saves", async () => {
    using folder = new SnapshotFolder();
    const run = await Run.begin(new VirtualClock(), folder.file);
    const User = run.userClass();
    await run.cacheme.getAll(Array.from({ length: 5_000 }, (_, id) => new User(id)));
    let turns = 0;
    let isSaved = false;
    const saving = run.local.saveSnapshot().then(() => {
      isSaved = true;
    });
    while (!isSaved) {
      turns++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await saving;
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  it("lets concurrent requests share one save", async () => {
    using folder = new SnapshotFolder();
    const run = await Run.begin(new VirtualClock(), folder.file);
    await Promise.all([run.local.saveSnapshot(), run.local.saveSnapshot(), run.local.saveSnapshot()]);
    expect(run.events.filter(({ operation }) => operation === "save")).toHaveLength(1);
  });

  it("refuses a class without a name, and a save before the registration or after the end", async () => {
    using folder = new SnapshotFolder();
    const run = new Run(new VirtualClock(), folder.file);
    await expect(run.local.saveSnapshot()).rejects.toMatchObject({ code: "CACHEME_INVALID_OPTION" });
    await run.cacheme.registerStorage("local", run.local);
    const { name: _, ...nameless } = run.userClass().meta;
    const User = class User extends run.userClass() {
      static override meta = nameless;
    };
    await expect(run.cacheme.get(new User(1))).rejects.toMatchObject({
      code: "CACHEME_INVALID_META",
      message: expect.stringContaining("saves its entries"),
    });
    await run.cacheme.close();
    await expect(run.local.saveSnapshot()).rejects.toMatchObject({ code: "CACHEME_CLOSED" });
  });
});

describe("a class with a remote tier", () => {
  const caches = [
    { storage: "local", ttl: "1h" },
    { storage: "remote", ttl: "1h" },
  ] as const;

  it("gets its keys back, and the remote tier decides what is valid", async () => {
    using folder = new SnapshotFolder();
    const clock = new VirtualClock();
    const remote = new TaggedRemote(clock);
    const first = await Run.begin(clock, folder.file);
    await first.cacheme.registerStorage("remote", remote);
    const User = first.userClass({ caches });
    const [, two] = await first.cacheme.getAll([new User(1), new User(2)]);
    await first.cacheme.close();

    const other = await Run.begin(clock, `${folder.file}.other`);
    await other.cacheme.registerStorage("remote", remote);
    const Other = other.userClass({ caches });
    await other.cacheme.invalidate(new Other(1));

    const second = await Run.begin(clock, folder.file);
    await second.cacheme.registerStorage("remote", remote);
    const Again = second.userClass({ caches });
    expect(second.events).toMatchObject([{ entries: 0, keys: 2 }]);
    await second.cacheme.get(new Again(1));
    expect(await second.cacheme.get(new Again(2))).toEqual(two);
    expect(second.loads).toEqual(["1"]);
  });

  it("never answers from values that were saved when the class had none", async () => {
    using folder = new SnapshotFolder();
    const run = await restarted(folder);
    await run.cacheme.registerStorage("remote", new TaggedRemote(run.clock));
    const User = run.userClass({ caches });
    await run.cacheme.get(new User(1));
    expect(run.loads).toEqual(["1"]);
  });
});

describe("a class that a bus keeps up to date", () => {
  it("gets no value back, because news of the meantime are lost", async () => {
    using folder = new SnapshotFolder();
    const run = await restarted(folder);
    await run.cacheme.registerBus(memoryBus());
    const User = run.userClass();
    await run.cacheme.get(new User(1));
    expect(run.loads).toEqual(["1"]);
    expect(await run.local.saveSnapshot()).toMatchObject({ entries: 0, keys: 3 });
  });

  it("gets its values back if its meta says that it takes no news", async () => {
    using folder = new SnapshotFolder();
    const run = await restarted(folder);
    await run.cacheme.registerBus(memoryBus());
    const User = run.userClass({ bus: false });
    await run.cacheme.get(new User(1));
    expect(run.loads).toEqual([]);
  });
});
