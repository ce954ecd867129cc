import { describe, expect, it } from "vitest";
import {
  connectionSettings,
  type Generations,
  type Leases,
  type RemoteStorage,
  StorageCalls,
  type StoredRecord,
  type Trial,
} from "../../src/driver.js";
import { reason } from "../support/reason.js";

const needs = "Couch 2 or newer";

type Overrides = Partial<RemoteStorage> & { readonly trial?: Partial<Trial> };

/** Makes a storage of one table that makes all its calls through `StorageCalls`. */
function couch(overrides: Overrides = {}) {
  const table = new Map<string, Uint8Array>();
  const tokens = new Map<string, string>();
  const log: string[] = [];
  let made = 0;
  const call = <T>(action: string, act: () => T): Promise<T> =>
    calls.run(action, async () => {
      log.push(action);
      return act();
    });
  const leases: Leases = {
    acquire: (requests) =>
      call("acquire", () =>
        requests.map(({ key }) => {
          made++;
          tokens.set(key, `${made}`);
          return { outcome: "granted", token: `${made}`, at: 1 };
        }),
      ),
    fill: (records) =>
      call("fill", () => records.map(({ key, token }) => tokens.get(key) === token && tokens.delete(key))),
    extend: (held) => call("extend", () => held.map(({ key, token }) => tokens.get(key) === token)),
    release: (held) =>
      call("release", () => held.map(({ key, token }) => tokens.get(key) === token && tokens.delete(key))),
  };
  const generations: Generations = {
    ensure: (keys) => call("ensure", () => keys.map(() => ({ id: `${++made}`, at: 1 }))),
    bump: (keys) => call("bump", () => keys.map(() => ({ id: `${++made}`, at: 1 }))),
  };
  const storage: RemoteStorage = {
    kind: "remote",
    label: "couch://here",
    connect: () => calls.connect(),
    close: () => calls.close(),
    ping: async () => {},
    time: () => call("time", () => 1),
    readMany: (keys) => call("read", () => keys.map((key) => table.get(key))),
    writeMany: (records: readonly StoredRecord[]) =>
      call("write", () => records.forEach(({ key, bytes }) => void table.set(key, bytes))),
    removeMany: (keys) => call("remove", () => keys.filter((key) => table.delete(key)).length),
    info: async () => ({ server: "Couch 1.4" }),
    leases,
    generations,
    ...overrides,
  };
  const calls: StorageCalls = new StorageCalls({
    ...connectionSettings({}, "couch()"),
    label: storage.label,
    open: async () => void log.push("open"),
    shut: async () => {},
    trial: { storage, needs, ...overrides.trial },
  });
  return { storage, calls, call, table, log };
}

const granted = { outcome: "granted", token: "1", at: 1 } as const;

describe("the trial of an opened storage", () => {
  it("makes one call of each kind, once, before the first call, and leaves nothing behind", async () => {
    const { storage, log, table } = couch();
    await storage.readMany(["first"]);
    await storage.connect();
    expect(new Set(log)).toEqual(
      new Set([
        "open",
        "write",
        "read",
        "acquire",
        "fill",
        "release",
        "extend",
        "ensure",
        "bump",
        "time",
        "remove",
      ]),
    );
    expect(log.at(-1)).toBe("read");
    expect(log.filter((one) => one === "open")).toHaveLength(1);
    expect(table.size).toBe(0);
  });

  it.each([
    ["a code", Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" })],
    ["words of ioredis", new Error("Connection is closed.")],
    ["words of pg", new Error("Connection terminated unexpectedly")],
  ])("says that the connection was lost, and nothing about the server, by %s", async (_, lost) => {
    const { storage } = couch({ readMany: () => Promise.reject(lost) });
    const error = await reason(storage.connect());
    expect(error).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
      message: expect.stringContaining(lost.message.replace(/\.$/, "")),
    });
    expect(await reason(storage.connect())).toMatchObject({ code: "CACHEME_CONNECT_FAILED" });
  });

  it.each<[string, Overrides, RegExp]>([
    [
      "a call is refused",
      { readMany: () => Promise.reject(new Error("no such command")) },
      /a read failed: no such/,
    ],
    [
      "a read does not answer the written value",
      { readMany: async () => [undefined] },
      /a read failed: it did not/,
    ],
    [
      "a lease is never granted",
      {
        leases: { acquire: async () => [{ outcome: "held" }], fill: async () => [], release: async () => [] },
      },
      /an acquire failed: it answered held/,
    ],
    [
      "one lease stores twice",
      {
        leases: {
          acquire: async () => [granted, granted],
          fill: async () => [true],
          release: async () => [true],
        },
      },
      /a fill failed: it took one lease twice/,
    ],
    [
      "the lease that it granted is refused",
      {
        leases: {
          acquire: async () => [granted, granted],
          fill: async () => [false],
          release: async () => [true],
        },
      },
      /a fill failed: it refused the lease/,
    ],
    [
      "bytes that the client has seen count as fresh",
      {
        leases: {
          acquire: async () => [granted, { outcome: "fresh", bytes: Buffer.from("cacheme") }],
          fill: async () => [],
          release: async () => [],
        },
      },
      /an acquire failed: it answered fresh/,
    ],
    [
      "the lease that it granted is not known",
      {
        leases: {
          acquire: async () => [granted, granted],
          fill: async () => [],
          release: async () => [false],
        },
      },
      /a release failed: it did not know the lease/,
    ],
    [
      "the lease that it granted cannot be extended",
      {
        leases: {
          acquire: async () => [granted, granted],
          fill: async () => [],
          release: async () => [true],
          extend: async () => [false],
        },
      },
      /an extend failed: it did not know the lease/,
    ],
    [
      "a new generation is the old one",
      { generations: { ensure: async () => [{ id: "a", at: 1 }], bump: async () => [{ id: "a", at: 1 }] } },
      /a bump failed/,
    ],
    [
      "the clock cannot be read",
      { time: () => Promise.reject(new Error("no such command")) },
      /a clock reading failed: no such command/,
    ],
    [
      "the clock is not a number",
      { time: async () => Number.NaN },
      /a clock reading failed: expected milliseconds since the epoch, got NaN/,
    ],
  ])("names the found server and the needed ones if %s", async (_, overrides, why) => {
    const { storage } = couch(overrides);
    const error = await reason(storage.connect());
    expect(error).toMatchObject({
      code: "CACHEME_UNSUPPORTED_SERVER",
      message: expect.stringMatching(/^couch:\/\/here cannot be used: found Couch 1\.4, where /),
    });
    expect(error).toMatchObject({ message: expect.stringMatching(why) });
    expect(error).toMatchObject({ message: expect.stringMatching(/The storage needs Couch 2 or newer\.$/) });
  });

  it("is made again by the next call, which gets the same error", async () => {
    const { storage, log } = couch({ readMany: () => Promise.reject(new Error("no")) });
    await reason(storage.connect());
    expect(await reason(storage.writeMany([]))).toMatchObject({ code: "CACHEME_UNSUPPORTED_SERVER" });
    expect(log.filter((one) => one === "open")).toHaveLength(2);
  });

  it("does not read the clock of a storage that opts out", async () => {
    const { storage, log } = couch({ trial: { readsTime: false } });
    await storage.connect();
    expect(log).not.toContain("time");
  });

  it("passes errors that the driver knows not to last", async () => {
    const { storage } = couch({
      writeMany: () => Promise.reject(new Error("full")),
      trial: { passes: ({ message }) => message === "full" },
    });
    await storage.connect();
  });

  it("gives the driver's remedy if it has one", async () => {
    const { storage } = couch({
      writeMany: () => Promise.reject(new Error("read-only")),
      trial: { remedyFor: () => "Give the address of the primary." },
    });
    expect(await reason(storage.connect())).toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message:
        "couch://here was reached, but cannot be used: a write failed: read-only. Give the address of the primary.",
    });
  });
});
