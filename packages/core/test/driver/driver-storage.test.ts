import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  BatchError,
  connectionSettings,
  type Driver,
  DriverStorage,
  generationText,
  KeyFailures,
  KeyPattern,
  RecordTooLarge,
  type StorageCall,
  StorageError,
  wholeMilliseconds,
} from "../../src/driver.js";
import { deferred } from "../support/deferred.js";
import { reason } from "../support/reason.js";

vi.mock("../../src/timers.js", () => import("../support/global-timers.js"));
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const label = "couch://here";
const bytes = Buffer.from("b");

/** Makes a driver that records its calls, and answers each read with the key itself. */
function couch(overrides: Partial<Driver> = {}, sweepInterval?: number) {
  const asked: (readonly [method: string, ...given: unknown[]])[] = [];
  const driver: Driver = {
    open: async () => void asked.push(["open"]),
    close: async () => void asked.push(["close"]),
    ping: async () => void asked.push(["ping"]),
    time: async () => 7_000,
    read: async (keys) => {
      asked.push(["read", keys]);
      return keys.map((key) => Buffer.from(key));
    },
    write: async (records) => void asked.push(["write", records]),
    remove: async (keys) => {
      asked.push(["remove", keys]);
      return keys.length;
    },
    acquire: async (requests) => {
      asked.push(["acquire", requests]);
      return requests.map(({ token }) => ({ outcome: "granted", token, at: 1 }));
    },
    fill: async (records) => {
      asked.push(["fill", records]);
      return records.map(() => true);
    },
    release: async (leases) => {
      asked.push(["release", leases]);
      return leases.map(({ key }) => key !== "lost");
    },
    extend: async (leases) => {
      asked.push(["extend", leases]);
      return leases.map(({ key }) => key !== "lost");
    },
    ensure: async (tags, ttl) => {
      asked.push(["ensure", tags, ttl]);
      return tags.map(({ id }) => ({ id, at: 1 }));
    },
    bump: async (tags, ttl) => {
      asked.push(["bump", tags, ttl]);
      return tags.map(({ id }) => ({ id, at: 2 }));
    },
    async *scan(_, page) {
      yield await page(async () => ["user:1", "tag:1", "user:2"]);
      yield await page(async () => ["tag:2"]);
    },
    info: async () => ({ server: "Couch 3" }),
    ...overrides,
  };
  const settings = connectionSettings({ commandTimeout: 1000, connectTimeout: 2000 }, "couch()");
  const storage = new DriverStorage(driver, { ...settings, label, sweepInterval });
  const givenTo = (method: string) => asked.filter(([name]) => name === method).map(([, ...given]) => given);
  return { driver, storage, leases: storage.leases!, generations: storage.generations!, asked, givenTo };
}

/** The calls that take keys, each with one key. */
const callsWithKey: readonly (readonly [
  string,
  (made: ReturnType<typeof couch>, key: string) => Promise<unknown>,
])[] = [
  ["readMany", ({ storage }, key) => storage.readMany(["good", key])],
  ["writeMany", ({ storage }, key) => storage.writeMany([{ key, bytes, ttl: 1 }])],
  ["removeMany", ({ storage }, key) => storage.removeMany([key])],
  ["acquire", ({ leases }, key) => leases.acquire([{ key, duration: 1 }])],
  ["fill", ({ leases }, key) => leases.fill([{ key, bytes, ttl: 1, token: "0".repeat(32) }])],
  ["release", ({ leases }, key) => leases.release([{ key, token: "0".repeat(32) }])],
  ["extend", ({ leases }, key) => leases.extend!([{ key, token: "0".repeat(32), duration: 1 }])],
  ["ensure", ({ generations }, key) => generations.ensure([key], 1)],
  ["bump", ({ generations }, key) => generations.bump([key], 1)],
];

describe("the keys of a batch", () => {
  it.each(callsWithKey)("are checked by %s before the driver is called", async (_, call) => {
    const made = couch();
    expect(await reason(call(made, "a\nb"))).toMatchObject({ code: "CACHEME_INVALID_KEY" });
    expect(made.asked).toEqual([]);
  });

  it("that is empty cost no call", async () => {
    const { storage, leases, generations, asked } = couch();
    expect(await storage.readMany([])).toEqual([]);
    await storage.writeMany([]);
    expect(await storage.removeMany([])).toBe(0);
    expect(await leases.acquire([])).toEqual([]);
    expect(await leases.fill([])).toEqual([]);
    expect(await leases.release([])).toEqual([]);
    expect(await leases.extend?.([])).toEqual([]);
    expect(await generations.ensure([], 1)).toEqual([]);
    expect(await generations.bump([], 1)).toEqual([]);
    expect(asked).toEqual([]);
  });

  it("are read once each, and answered in the order of the batch", async () => {
    const { storage, givenTo } = couch();
    const found = await storage.readMany(["b", "a", "b"]);
    expect(found.map(String)).toEqual(["b", "a", "b"]);
    expect(givenTo("read")).toEqual([[["b", "a"]]]);
  });

  it("reach a driver that reads repeated keys as the caller's own list", async () => {
    const { storage, givenTo } = couch({ takesRepeatedKeys: { read: true } });
    const keys = ["b", "a", "b"];
    await storage.readMany(keys);
    expect(givenTo("read")[0]?.[0]).toBe(keys);
  });

  it("are removed once each", async () => {
    const { storage, givenTo } = couch();
    expect(await storage.removeMany(["a", "b", "a"])).toBe(2);
    expect(givenTo("remove")).toEqual([[["a", "b"]]]);
  });

  it("have a generation each, however often they are requested", async () => {
    const { generations, givenTo } = couch();
    const [first, other, again] = await generations.ensure(["t", "u", "t"], 10);
    expect(again).toEqual(first);
    expect(other?.id).not.toBe(first?.id);
    expect(givenTo("ensure")[0]?.[0]).toMatchObject([{ key: "t" }, { key: "u" }]);
  });
});

describe("the records of a batch", () => {
  it("are stored once a key, the later one", async () => {
    const { storage, givenTo } = couch();
    const [old, other, late] = ["1", "2", "3"].map((text) => Buffer.from(text));
    await storage.writeMany([
      { key: "a", bytes: old!, ttl: 1 },
      { key: "b", bytes: other!, ttl: 1 },
      { key: "a", bytes: late!, ttl: 1 },
    ]);
    expect(givenTo("write")).toEqual([
      [
        [
          { key: "a", bytes: late, ttl: 1 },
          { key: "b", bytes: other, ttl: 1 },
        ],
      ],
    ]);
  });

  it("reach a driver that takes repeated keys all, in order", async () => {
    const { storage, givenTo } = couch({ takesRepeatedKeys: { write: true } });
    const records = ["a", "a"].map((key) => ({ key, bytes, ttl: 1 }));
    await storage.writeMany(records);
    expect(givenTo("write")[0]?.[0]).toBe(records);
  });

  it("reach the driver as the caller's own list if nothing must be changed", async () => {
    const { storage, givenTo } = couch();
    const records = [
      { key: "a", bytes, ttl: 10, freshFor: 0 },
      { key: "b", bytes, ttl: undefined },
    ];
    await storage.writeMany(records);
    expect(givenTo("write")[0]?.[0]).toBe(records);
  });

  it("have whole times: fractions are dropped, and a ttl is at least 1", async () => {
    const { storage, leases, givenTo } = couch();
    await storage.writeMany([
      { key: "a", bytes, ttl: 10.9, freshFor: 0.5 },
      { key: "b", bytes, ttl: 0.1 },
      { key: "c", bytes, ttl: 1e300 },
    ]);
    expect(givenTo("write")[0]?.[0]).toMatchObject([{ ttl: 10, freshFor: 0 }, { ttl: 1 }, { ttl: 1e15 }]);
    await leases.fill([{ key: "a", bytes, ttl: 10.9, token: "0".repeat(32) }]);
    expect(givenTo("fill")[0]?.[0]).toMatchObject([{ ttl: 10 }]);
  });
});

describe("records that the driver refuses", () => {
  const refusalOf: Driver["refusalOf"] = ({ bytes: { length } }) =>
    length > 3 ? new RecordTooLarge(`${length} bytes are too large`) : undefined;
  const [small, large] = [Buffer.from("abc"), Buffer.from("abcd")];
  const batch = [
    { key: "small", bytes: small, ttl: 1, token: "0".repeat(32) },
    { key: "large", bytes: large, ttl: 1, token: "1".repeat(32) },
  ];

  it.each(["writeMany", "fill"] as const)("are named by %s, which stores the others", async (name) => {
    const { storage, leases, givenTo } = couch({ refusalOf });
    const store = (records: typeof batch) =>
      name === "fill" ? leases.fill(records) : storage.writeMany(records);
    expect(await reason(store(batch))).toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      keys: new Set(["large"]),
      message: expect.stringMatching(/failed for 1 of 2 keys: "large"\. .* 4 bytes are too large/),
    });
    const sent = () => givenTo(name === "fill" ? "fill" : "write");
    expect(sent()).toEqual([[batch.slice(0, 1)]]);
    expect(await reason(store(batch.slice(1)))).toBeInstanceOf(BatchError);
    await store(batch.slice(0, 1));
    expect(sent()).toEqual([[batch.slice(0, 1)], [batch.slice(0, 1)]]);
  });

  it("are named together with those that the database refuses itself", async () => {
    const write: Driver["write"] = async (records) => {
      const failures = new KeyFailures(records.length);
      failures.add("small", new Error("no room"));
      failures.throwIfAny();
    };
    const { storage } = couch({ refusalOf, write });
    const error = await reason(storage.writeMany(batch));
    expect(error).toMatchObject({ keys: new Set(["small", "large"]) });
    const broken = couch({ refusalOf, write: () => Promise.reject(new Error("broken")) });
    expect(await reason(broken.storage.writeMany(batch))).toMatchObject({
      message: expect.stringContaining("broken"),
    });
  });
});

describe("wholeMilliseconds", () => {
  it("keeps undefined, rounds down, and stays between 1 and a day in the year 33658", () => {
    expect([undefined, 0, -5, 1.999, 12, Number.MAX_VALUE].map((one) => wholeMilliseconds(one))).toEqual([
      ...[undefined, 1, 1, 1, 12, 1e15],
    ]);
  });
});

describe("the deadline that a user chose", () => {
  it("is that of the storage, and none is without", () => {
    const made = (options: Parameters<typeof connectionSettings>[0]) => {
      const settings = connectionSettings(options, "couch()");
      return new DriverStorage(couch().driver, { ...settings, label });
    };
    expect(made({ commandTimeout: "3s" }).deadline).toBe(3000);
    expect(made({}).deadline).toBeUndefined();
  });
});

describe("leases", () => {
  it("are requested with a token each, a whole duration, whether to steal and the bytes that do not count", async () => {
    const { leases, givenTo } = couch();
    const answers = await leases.acquire([
      { key: "a", duration: 10.5 },
      { key: "b", duration: 0.5, steal: true, seen: bytes },
    ]);
    const tokens = answers.map((answer) => (answer.outcome === "granted" ? answer.token : ""));
    expect(tokens).toEqual([
      expect.stringMatching(/^[0-9a-f]{32}$/),
      expect.stringMatching(/^[0-9a-f]{32}$/),
    ]);
    expect(new Set(tokens).size).toBe(2);
    expect(givenTo("acquire")[0]?.[0]).toEqual([
      { key: "a", duration: 10, steal: false, seen: undefined, token: tokens[0] },
      { key: "b", duration: 1, steal: true, seen: bytes, token: tokens[1] },
    ]);
  });

  it("that have a token of another form are refused without the driver", async () => {
    const { leases, givenTo, asked } = couch();
    expect(await leases.fill([{ key: "a", bytes, ttl: 1, token: "foreign" }])).toEqual([false]);
    expect(await leases.release([{ key: "a", token: "foreign" }])).toEqual([false]);
    expect(await leases.extend?.([{ key: "a", token: "foreign", duration: 1 }])).toEqual([false]);
    expect(asked).toEqual([]);
    const mixed = [
      { key: "a", bytes, ttl: 1, token: "foreign" },
      { key: "b", bytes, ttl: 1, token: "0".repeat(32) },
    ];
    expect(await leases.fill(mixed)).toEqual([false, true]);
    expect(givenTo("fill")[0]?.[0]).toEqual([mixed[1]]);
  });

  it("are released and extended with the driver's answers, for whole milliseconds", async () => {
    const { leases, givenTo } = couch();
    const token = "0".repeat(32);
    const held = ["a", "foreign", "lost"].map((key) => ({ key, token: key === "foreign" ? key : token }));
    expect(await leases.release(held)).toEqual([true, false, false]);
    const longer = held.map((lease) => ({ ...lease, duration: 20.9 }));
    expect(await leases.extend?.(longer)).toEqual([true, false, false]);
    expect(givenTo("release")).toEqual([[[held[0], held[2]]]]);
    const whole = { token, duration: 20 };
    expect(givenTo("extend")).toEqual([
      [
        [
          { key: "a", ...whole },
          { key: "lost", ...whole },
        ],
      ],
    ]);
  });

  it("have the driver's own tokens if it knows them", async () => {
    const { leases, givenTo } = couch({ isToken: (token) => /^cas-\d+$/.test(token) });
    expect(await leases.fill([{ key: "a", bytes, ttl: 1, token: "cas-1" }])).toEqual([true]);
    await leases.release([
      { key: "a", token: "cas-2" },
      { key: "b", token: "0".repeat(32) },
    ]);
    expect(givenTo("release")).toEqual([[[{ key: "a", token: "cas-2" }]]]);
  });

  it("are not supported once the driver gives a reason, which it may find out while opening", () => {
    const lacks: { leases?: string } = {};
    const { storage } = couch({ lacks });
    expect(storage.leases).toBeDefined();
    lacks.leases = "The address is that of a proxy.";
    expect(storage).toMatchObject({ leases: undefined, lacks });
  });

  it("can be released by a driver that got them after the deadline, in a call with its own deadline", async () => {
    let giveBack: Promise<boolean> | undefined;
    const { leases } = couch({
      acquire: (_, call) =>
        new Promise(() => {
          call.whenLate(() => {
            giveBack = call.another("a release", async ({ isLate }) => isLate);
          });
        }),
    });
    const acquired = reason(leases.acquire([{ key: "a", duration: 1000 }]));
    await vi.advanceTimersByTimeAsync(1001);
    expect(await acquired).toMatchObject({ code: "CACHEME_STORAGE_FAILED" });
    expect(await giveBack).toBe(false);
  });

  it.each(["acquire", "fill", "release", "extend"])("are not supported by a driver without %s", (method) => {
    expect(couch({ [method]: undefined }).storage.leases).toBeUndefined();
  });

  it("are not supported by a driver that lacks one of their methods, nor are generations, scans and info", () => {
    const { storage } = couch({
      release: undefined,
      bump: undefined,
      scan: undefined,
      info: undefined,
    } as object);
    expect(storage).toMatchObject({
      leases: undefined,
      generations: undefined,
      scan: undefined,
      info: undefined,
    });
  });
});

describe("generations", () => {
  it("have an id each that stays the same however often the driver reads it, even in a copy", async () => {
    const read: (readonly [string, string])[] = [];
    const { generations } = couch({
      ensure: async (tags) =>
        tags.map((tag) => {
          const copy = { ...tag };
          read.push([tag.id, copy.id]);
          return { id: copy.id, at: 1 };
        }),
    });
    await generations.ensure(["t", "u"], 1);
    for (const [first, again] of read)
      expect([first, again]).toEqual([expect.stringMatching(/^[\w-]{22}$/), first]);
    expect(new Set(read.flat()).size).toBe(2);
  });

  it("that the driver leaves out are an error that names the key", async () => {
    const { generations } = couch({ ensure: async () => [undefined] });
    expect(await reason(generations.ensure(["tag"], 1))).toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      message: expect.stringContaining(`${label}: an ensure failed: it answered no generation for "tag"`),
    });
  });

  it("of a full database are removed by a bump, with a time not before theirs", async () => {
    const { generations, givenTo } = couch({
      bump: () => Promise.reject(new Error("disk full")),
      read: async (keys) =>
        keys.map((key) => Buffer.from(generationText({ id: "old", at: key === "late" ? 9_000 : 1 }))),
      errors: { isFull: (error) => error instanceof Error && error.message === "disk full" },
    });
    const [one, late, again] = await generations.bump(["one", "late", "one"], undefined);
    expect([one?.at, late?.at]).toEqual([7_000, 9_000]);
    expect(again).toEqual(one);
    expect(one?.id).not.toBe("old");
    expect(givenTo("remove")).toEqual([[["one", "late"]]]);
  });

  it("of a database in other trouble are not removed by a bump", async () => {
    const { generations, givenTo } = couch({
      bump: () => Promise.reject(new Error("no right to")),
      errors: { isFull: () => false },
    });
    expect(await reason(generations.bump(["one"], undefined))).toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
    });
    expect(givenTo("remove")).toEqual([]);
  });
});

describe("a scan", () => {
  it("answers the keys that match, without empty pages", async () => {
    const { storage } = couch();
    const pages: (readonly string[])[] = [];
    for await (const page of storage.scan!(KeyPattern.startingWith("user:"))) pages.push(page);
    expect(pages).toEqual([["user:1", "user:2"]]);
  });

  it("gives each page a deadline of its own", async () => {
    const never = new Promise<readonly string[]>(() => {});
    const { storage } = couch({
      async *scan(_, page) {
        yield await page(async () => ["user:1"]);
        yield await page(() => never);
      },
    });
    const pages = storage.scan!(KeyPattern.startingWith("user:"))[Symbol.asyncIterator]();
    expect(await pages.next()).toEqual({ done: false, value: ["user:1"] });
    const second = reason(pages.next());
    await vi.advanceTimersByTimeAsync(1001);
    expect(await second).toMatchObject({
      message: expect.stringContaining("a scan had no answer within 1000 ms"),
    });
  });
});

const failing = () => Promise.reject(new Error("Couch says no"));

describe("an error of the driver", () => {
  it.each([
    ["ping", "a ping", ({ storage }) => storage.ping()],
    ["time", "a clock reading", ({ storage }) => storage.time()],
    ["read", "a read", ({ storage }) => storage.readMany(["a"])],
    ["write", "a write", ({ storage }) => storage.writeMany([{ key: "a", bytes, ttl: 1 }])],
    ["remove", "a removal", ({ storage }) => storage.removeMany(["a"])],
    ["info", "an info call", ({ storage }) => storage.info!()],
    ["acquire", "an acquire", ({ leases }) => leases.acquire([{ key: "a", duration: 1 }])],
    ["fill", "a fill", ({ leases }) => leases.fill([{ key: "a", bytes, ttl: 1, token: "0".repeat(32) }])],
    [
      "extend",
      "an extend",
      ({ leases }) => leases.extend!([{ key: "a", token: "0".repeat(32), duration: 1 }]),
    ],
    ["release", "a release", ({ leases }) => leases.release([{ key: "a", token: "0".repeat(32) }])],
    ["ensure", "an ensure", ({ generations }) => generations.ensure(["a"], 1)],
    ["bump", "a bump", ({ generations }) => generations.bump(["a"], 1)],
  ] satisfies [keyof Driver, string, (made: ReturnType<typeof couch>) => Promise<unknown>][])(
    "in %s is named as %s, with the storage, the reason and the advice",
    async (method, operation, call) => {
      const made = couch({ [method]: failing, errors: { advice: () => "Ask Couch." } });
      expect(await reason(call(made))).toMatchObject({
        code: "CACHEME_STORAGE_FAILED",
        message: `${label}: ${operation} failed: Couch says no. Ask Couch.`,
      });
    },
  );

  it("about some keys of a batch is a BatchError that names them", async () => {
    const { storage } = couch({
      async write(records) {
        const failures = new KeyFailures(records.length);
        for (const { key } of records) if (key !== "good") failures.add(key, new Error(`${key} is too long`));
        expect(failures.count).toBe(7);
        failures.throwIfAny();
      },
      errors: { advice: () => "Store less.", clean: (error) => error },
    });
    const keys = ["a", "good", "b", "c", "d", "e", "f", "g"];
    const error = await reason(storage.writeMany(keys.map((key) => ({ key, bytes, ttl: 1 }))));
    expect(error).toBeInstanceOf(BatchError);
    expect(error).toMatchObject({
      keys: new Set(["a", "b", "c", "d", "e", "f", "g"]),
      message:
        `${label}: a write failed for 7 of 8 keys: "a", "b", "c", "d", "e" and 2 more. ` +
        "The first key's error: a is too long. Store less.",
    });
  });

  it("is not thrown if no key of a batch failed", () => {
    expect(() => new KeyFailures(3).throwIfAny()).not.toThrow();
  });

  it("of a server that cannot be reached reaches the caller unchanged", async () => {
    const { storage } = couch({
      read: async (_, call) => {
        throw call.unreachable(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
      },
    });
    expect(await reason(storage.readMany(["a"]))).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
      message: `${label} cannot be reached: refused. Check that the server runs and that its address is right.`,
    });
  });

  it("in open has the driver's advice for it", async () => {
    const { storage } = couch({
      open: failing,
      errors: { connectAdvice: (error) => `Do not ask for ${error.message}.` },
    });
    expect(await reason(storage.connect())).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
      message: `${label} could not be opened: Couch says no. Do not ask for Couch says no.`,
    });
  });
});

describe("a deadline", () => {
  it("that passes rejects, aborts the signal, and then calls the listeners", async () => {
    const answer = deferred<Uint8Array[]>();
    const log: string[] = [];
    let late: StorageCall | undefined;
    const { storage } = couch({
      read(_, call) {
        late = call;
        call.signal.addEventListener("abort", () => log.push("aborted"));
        call.whenLate(() => log.push("first"));
        call.whenLate(() => log.push("second"));
        return answer.promise;
      },
    });
    const read = reason(storage.readMany(["a"]));
    await vi.advanceTimersByTimeAsync(999);
    expect([late?.isLate, log]).toEqual([false, []]);
    await vi.advanceTimersByTimeAsync(2);
    expect(await read).toMatchObject({
      message: expect.stringContaining("a read had no answer within 1000 ms"),
    });
    expect([late?.isLate, log]).toEqual([true, ["aborted", "first", "second"]]);
    answer.resolve([]);
  });

  it("that does not pass calls no listener", async () => {
    const listener = vi.fn();
    const { storage } = couch({
      read: async (_, call) => {
        call.whenLate(listener);
        return [undefined];
      },
    });
    await storage.readMany(["a"]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(listener).not.toHaveBeenCalled();
  });
});

describe("the sweep of a driver", () => {
  it("runs every interval once the storage is open, again while there is more, and not after close", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const more = [true, false, false];
    const sweep = vi.fn(async () => more.shift() === true);
    const { storage, asked } = couch({ sweep }, 500);
    await vi.advanceTimersByTimeAsync(2000);
    expect(sweep).not.toHaveBeenCalled();
    await storage.connect();
    await vi.advanceTimersByTimeAsync(510);
    expect(sweep).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(510);
    expect(sweep).toHaveBeenCalledTimes(3);
    await storage.close();
    await vi.advanceTimersByTimeAsync(5000);
    expect(sweep).toHaveBeenCalledTimes(3);
    expect(asked.at(-1)).toEqual(["close"]);
  });

  it("that fails is tried again, without an error", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const sweep = vi.fn(() => Promise.reject(new Error("locked")));
    const { storage } = couch({ sweep }, 500);
    await storage.connect();
    await vi.advanceTimersByTimeAsync(1100);
    expect(sweep).toHaveBeenCalledTimes(2);
  });
});

describe("the trial of a driver", () => {
  it("refuses a server with the driver's remedy, and lets a full one pass", async () => {
    const write = () => Promise.reject(new Error("READONLY"));
    const trial = { needs: "Couch 2" };
    const refused = couch({ write, trial, errors: { remedyFor: () => "Give the master." } });
    expect(await reason(refused.storage.connect())).toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringContaining("a write failed: READONLY. Give the master."),
    });
    const tokens = new Set<string>();
    const full = couch({
      write,
      trial,
      fill: async (records) => records.map(({ token }) => tokens.size < tokens.add(token).size),
      errors: { isFull: () => true },
    });
    await full.storage.connect();
    expect(full.givenTo("bump")).toHaveLength(1);
  });
});

describe("a closed storage", () => {
  it("closes the driver once, after the calls under way, and refuses every later one", async () => {
    const answer = deferred<Uint8Array[]>();
    const { storage, asked, generations } = couch({ read: () => answer.promise });
    const read = storage.readMany(["a"]);
    const closed = Promise.all([storage.close(), storage.close()]);
    await vi.advanceTimersByTimeAsync(10);
    expect(asked).toEqual([["open"]]);
    answer.resolve([bytes]);
    expect(await read).toEqual([bytes]);
    await closed;
    expect(asked).toEqual([["open"], ["close"]]);
    for (const call of [storage.ping(), storage.readMany(["a"]), generations.bump(["t"], 1)]) {
      const error = await reason(call);
      expect(error).toBeInstanceOf(StorageError);
      expect(error).toMatchObject({ code: "CACHEME_CLOSED" });
    }
  });
});
