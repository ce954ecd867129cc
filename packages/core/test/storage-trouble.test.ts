import { describe, expect, it } from "vitest";
import { Cacheme, memory, type RemoteStorage, v8 } from "../src/index.js";
import { SimulatedRemote } from "./support/simulated-remote.js";
import { countingNode, remoteOnly, space, twoTiers } from "./support/space.js";
import { expectNothingUnhandled } from "./support/unhandled.js";
import { VirtualClock } from "./support/virtual-clock.js";

expectNothingUnhandled();

type Method = "readMany" | "writeMany" | "removeMany";

/** Makes a space whose storage "remote" answers one of its methods as the test says. */
async function troubled(method: Method, answer: (...args: unknown[]) => unknown) {
  const made = await space();
  Object.defineProperty(made.remote, method, { value: answer });
  return made;
}

const gone = new Error("the server is gone");

const failures: readonly (readonly [string, () => unknown, string])[] = [
  ["rejects", () => Promise.reject(gone), "the server is gone"],
  [
    "throws synchronously",
    () => {
      throw gone;
    },
    "the server is gone",
  ],
  ["rejects with a string", () => Promise.reject("no connection"), "no connection"],
  ["rejects with nothing", () => Promise.reject(undefined), "undefined"],
  [
    "rejects with a value that has no string form",
    () => Promise.reject(Object.create(null)),
    "no string form",
  ],
];

const rubbish: readonly (readonly [string, () => unknown])[] = [
  ["nothing", () => undefined],
  ["null", () => null],
  ["a number", () => 7],
  ["a string as long as the list of keys", () => "xx"],
  ["a shorter list", () => [undefined]],
  ["a longer list", () => [undefined, undefined, undefined]],
  ["a list of null", () => [null, null]],
  ["a list of strings", () => ["some text", "some text"]],
  ["a list of numbers", () => [1, 2]],
  ["a list of objects", () => [{}, { length: 40 }]],
  ["a promise of rubbish", () => Promise.resolve({ length: 2 })],
];

describe("a storage in trouble while it reads", () => {
  it.each(failures)(
    "costs no reader the value when it %s, and shows in storages()",
    async (_, fails, message) => {
      const { cacheme } = await troubled("readMany", fails);
      const { Counting, loads } = countingNode({ caches: twoTiers }, (id) => `value ${id}`);
      const values = await cacheme.getAll([new Counting(1), new Counting(2)]);
      expect(values).toEqual(["value 1", "value 2"]);
      expect(loads).toEqual([1, 2]);
      const status = cacheme.storages().find(({ name }) => name === "remote");
      expect(status).toMatchObject({ kind: "remote", label: "simulated", failureCount: 1 });
      expect(status?.lastError).toBeInstanceOf(Error);
      expect(status?.lastError?.message).toContain(message);
    },
  );

  it.each(rubbish)(
    "costs no reader the value when it answers %s, and the driver is named",
    async (_, answer) => {
      const { cacheme } = await troubled("readMany", answer);
      const { Counting } = countingNode({ caches: twoTiers }, (id) => `value ${id}`);
      const values = await cacheme.getAll([new Counting(1), new Counting(2)]);
      expect(values).toEqual(["value 1", "value 2"]);
      expect(cacheme.storages().find(({ name }) => name === "remote")).toMatchObject({
        failureCount: 1,
        lastError: {
          code: "CACHEME_STORAGE_FAILED",
          storage: "remote",
          message: expect.stringContaining("driver"),
        },
      });
    },
  );

  it("goes on to the next tier", async () => {
    const { cacheme, clock, remote } = await space();
    const far = new SimulatedRemote(clock);
    await cacheme.registerStorage("far", far);
    const caches = [...remoteOnly!, { storage: "far", ttl: "1h" as const }];
    const { Counting, loads } = countingNode({ caches }, (id) => id);
    await cacheme.get(new Counting(1));
    remote.gate = () => Promise.reject(gone);
    expect(await cacheme.get(new Counting(1))).toBe(1);
    expect(loads).toEqual([1]);
    expect(cacheme.stats(Counting).hits).toEqual({ remote: 0, far: 1 });
  });

  it("is used again as soon as it answers", async () => {
    const { cacheme, remote } = await space();
    const { Counting, loads } = countingNode({ caches: remoteOnly }, (id) => id);
    remote.gate = () => Promise.reject(gone);
    await cacheme.get(new Counting(1));
    remote.gate = () => {};
    await cacheme.get(new Counting(1));
    await cacheme.get(new Counting(1));
    expect(loads).toEqual([1, 1]);
  });

  it("is skipped by peek", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    await cacheme.get(new Counting(1));
    remote.gate = () => Promise.reject(gone);
    expect(await cacheme.peek(new Counting(1))).toBeUndefined();
  });
});

describe("bytes that are not an entry", () => {
  const bytes: readonly (readonly [string, (stored: Uint8Array) => Uint8Array])[] = [
    ["nothing at all", () => new Uint8Array(0)],
    ["a single byte", () => new Uint8Array(1)],
    ["a foreign string", () => Buffer.from("hello, this is not an entry of ours, but it is long enough")],
    ["half of an entry", (stored) => stored.slice(0, stored.length >> 1)],
    [
      "an entry with a flipped bit",
      (stored) => stored.map((byte, at) => (at === stored.length - 1 ? byte ^ 1 : byte)),
    ],
    ["an entry of a later format", (stored) => stored.map((byte, at) => (at === 0 ? 99 : byte))],
    ["random bytes", () => Uint8Array.from({ length: 500 }, (_, at) => (at * 7919) & 255)],
  ];

  it.each(bytes)("are a miss: %s", async (_, spoil) => {
    const { cacheme, remote } = await space();
    const { Counting, loads } = countingNode({ caches: remoteOnly }, (id) => `value ${id}`);
    await cacheme.get(new Counting(1));
    const [[key, record]] = [...remote.records] as [[string, { bytes: Uint8Array; until: number }]];
    remote.records.set(key, { ...record, bytes: spoil(record.bytes) });
    expect(await cacheme.peek(new Counting(1))).toBeUndefined();
    expect(await cacheme.get(new Counting(1))).toBe("value 1");
    expect(loads).toEqual([1, 1]);
    expect((await cacheme.peek(new Counting(1)))?.value).toBe("value 1");
  });

  it("are a miss if another serializer wrote them, or a class of another name under the same key", async () => {
    const { cacheme, clock, remote } = await space();
    const first = countingNode({ name: "first", caches: remoteOnly }, () => "first");
    await cacheme.get(new first.Counting(1));
    const bytes = remote.records.get("cacheme:first:1:1")!;
    remote.records.set("cacheme:second:1:1", bytes);
    const second = countingNode({ name: "second", caches: remoteOnly }, () => "second");
    expect(await cacheme.get(new second.Counting(1))).toBe("second");
    const other = new Cacheme({ clock });
    await other.registerStorage("remote", remote);
    const written = countingNode({ name: "first", caches: remoteOnly, serializer: v8() }, () => "by v8");
    expect(await other.get(new written.Counting(1))).toBe("by v8");
  });
});

describe("a storage in trouble while it writes or removes", () => {
  it.each(failures)(
    "returns the loaded value when it %s, and keeps it in the other tiers",
    async (_, fails, message) => {
      const { cacheme } = await troubled("writeMany", fails);
      const { Counting, loads } = countingNode({ caches: twoTiers }, (id) => `value ${id}`);
      expect(await cacheme.get(new Counting(1))).toBe("value 1");
      expect(cacheme.peekLocal(new Counting(1))?.value).toBe("value 1");
      expect(loads).toEqual([1]);
      const status = cacheme.storages().find(({ name }) => name === "remote");
      expect(status).toMatchObject({ failureCount: 1 });
      expect(status?.lastError?.message).toContain(message);
    },
  );

  it.each(failures)("makes set and invalidate reject when it %s", async (_, fails) => {
    const { cacheme, remote } = await troubled("writeMany", fails);
    Object.defineProperty(remote, "removeMany", { value: fails });
    const { Counting } = countingNode({ caches: twoTiers }, (id) => `value ${id}`);
    await expect(cacheme.set(new Counting(1), "set")).rejects.toMatchObject({
      code: "CACHEME_WRITE_INCOMPLETE",
      storages: ["remote"],
      message: expect.stringMatching(/counting:1 .*remote.*[Ss]et it again/),
    });
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe("set");
    await expect(cacheme.invalidate(new Counting(1))).rejects.toMatchObject({
      code: "CACHEME_INVALIDATION_INCOMPLETE",
      storages: ["remote"],
    });
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
  });

  it("does not keep other remote tiers from storing", async () => {
    const { cacheme, clock, remote } = await space();
    const far = new SimulatedRemote(clock);
    await cacheme.registerStorage("far", far);
    remote.gate = () => Promise.reject(gone);
    const { Counting } = countingNode({ caches: [...twoTiers!, { storage: "far" }] }, (id) => id);
    await expect(cacheme.set(new Counting(1), 1)).rejects.toMatchObject({ storages: ["remote"] });
    expect(far.records.size).toBe(1);
  });
});

describe("a storage that closes or connects badly", () => {
  it.each(failures)("does not keep close() from its end when its close %s", async (_, fails) => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    const [bad, good] = [new SimulatedRemote(clock), new SimulatedRemote(clock)];
    Object.defineProperty(bad, "close", { value: fails });
    await cacheme.registerStorage("bad", bad);
    await cacheme.registerStorage("good", good);
    await cacheme.close();
    expect(good.closed).toBe(1);
    expect(cacheme.storages()[0]).toMatchObject({ name: "bad", failureCount: 1 });
  });

  it.each(failures)(
    "is refused with its name and its error when connecting %s",
    async (_, fails, message) => {
      const cacheme = new Cacheme();
      const remote = new SimulatedRemote(new VirtualClock());
      Object.defineProperty(remote, "connect", { value: fails });
      await expect(cacheme.registerStorage("redis", remote)).rejects.toMatchObject({
        code: "CACHEME_CONNECT_FAILED",
        storage: "redis",
        message: expect.stringMatching(/"redis" \(simulated\).*connect: "lazy"/),
      });
      await expect(cacheme.registerStorage("redis", remote)).rejects.toThrow(message);
    },
  );
});

describe("a local storage in trouble", () => {
  it("costs no reader the value when the weigher throws", async () => {
    const cacheme = new Cacheme();
    await cacheme.registerStorage(
      "local",
      memory({
        maxWeight: 100,
        weigher: () => {
          throw new Error("cannot weigh this");
        },
      }),
    );
    const stop = cacheme.on("notStored", () => {});
    const { Counting } = countingNode({ caches: [{ storage: "local" }] }, (id) => id);
    expect(await cacheme.get(new Counting(1))).toBe(1);
    stop();
  });

  it("costs no reader the value when a tier on its left cannot take it", async () => {
    const cacheme = new Cacheme();
    await cacheme.registerStorage("clones", memory({ values: "cloned" }));
    await cacheme.registerStorage("shares", memory({ values: "shared" }));
    const stop = cacheme.on("notStored", () => {});
    const { Counting, loads } = countingNode(
      { caches: [{ storage: "clones" }, { storage: "shares" }] },
      () => () => 7,
    );
    expect((await cacheme.get(new Counting(1)))()).toBe(7);
    expect((await cacheme.get(new Counting(1)))()).toBe(7);
    expect(loads).toHaveLength(1);
    stop();
  });
});

describe("a driver that only follows the contract", () => {
  it("is enough to read, write and remove", async () => {
    const records = new Map<string, Uint8Array>();
    const driver: RemoteStorage = {
      kind: "remote",
      label: "a Map",
      connect: async () => {},
      close: async () => {},
      ping: async () => {},
      time: async () => Date.now(),
      readMany: async (keys) => keys.map((key) => records.get(key)),
      writeMany: async (written) => {
        for (const { key, bytes } of written) records.set(key, bytes);
      },
      removeMany: async (keys) => keys.filter((key) => records.delete(key)).length,
    };
    const cacheme = new Cacheme();
    await cacheme.registerStorage("remote", driver);
    const { Counting, loads } = countingNode({ caches: remoteOnly }, (id) => id);
    await cacheme.get(new Counting(1));
    await cacheme.get(new Counting(1));
    await cacheme.invalidate(new Counting(1));
    await cacheme.get(new Counting(1));
    expect(loads).toEqual([1, 1]);
    expect(cacheme.stats(Counting).hits).toEqual({ remote: 1 });
  });
});
