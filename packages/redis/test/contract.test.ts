import { randomUUID } from "node:crypto";
import { describeWithService } from "@cacheme/test-services/vitest";
import type { RemoteStorage, StoredRecord } from "cacheme";
import { Redis } from "ioredis";
import { Redis as Redis56 } from "ioredis-5.6";
import { Redis as Redis6 } from "ioredis-6";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redis } from "../src/index.js";
import { headerLength } from "../src/record.js";

/** These tests check answers, not times: a busy machine must not fail them. */
const patient = { commandTimeout: "20s", connectTimeout: "20s" } as const;

const tenYears = 10 * 365 * 24 * 3_600_000;

describeWithService("redis", "the storage on a server", (service) => {
  const closers: (() => Promise<unknown> | unknown)[] = [];
  let observer: Redis;
  beforeAll(() => {
    observer = new Redis(service().url);
  });
  afterAll(async () => {
    for (const close of closers) await close();
    observer.disconnect();
  });

  const given = <C extends { disconnect(): void }>(client: C): C => {
    closers.push(() => client.disconnect());
    return client;
  };
  /** Splits the service's address. It may have a password and a database. */
  const parts = () => {
    const { hostname, port, username, password, pathname, protocol } = new URL(service().url);
    const rest = { username: decodeURIComponent(username), password: decodeURIComponent(password) };
    const tls = protocol === "rediss:" ? { tls: {} } : {};
    return { host: hostname, port: Number(port || 6379), db: Number(pathname.slice(1)), ...rest, ...tls };
  };
  const forms: [string, () => RemoteStorage][] = [
    ["an address", () => redis(service().url, patient)],
    ["options", () => redis(parts(), patient)],
    ["a client of ioredis 5.11", () => redis(given(new Redis(service().url)), patient)],
    ["a client of ioredis 5.6", () => redis(given(new Redis56(service().url)), patient)],
    ["a client of ioredis 6", () => redis(given(new Redis6(service().url)), patient)],
    [
      "a client that pipelines by itself",
      () => redis(given(new Redis(service().url, { enableAutoPipelining: true })), patient),
    ],
  ];

  describe.each(forms)("made from %s", (_, make) => {
    let storage: RemoteStorage;
    let space: string;
    const key = (name: string) => `${space}:${name}`;
    const record = (
      name: string,
      bytes: Uint8Array | string,
      ttl: number | undefined = 60_000,
    ): StoredRecord => ({
      key: key(name),
      bytes: typeof bytes === "string" ? Buffer.from(bytes) : bytes,
      ttl,
    });
    const read = async (...names: string[]) => {
      const found = await storage.readMany(names.map(key));
      return found.map((bytes) => bytes && Buffer.from(bytes).toString());
    };
    beforeAll(async () => {
      storage = make();
      space = randomUUID();
      await storage.connect();
    });
    afterAll(async () => {
      await storage.close();
      let cursor = "0";
      do {
        const [next, keys] = await observer.scan(cursor, "MATCH", `${space}:*`, "COUNT", 10_000);
        cursor = next;
        if (keys.length > 0) await observer.unlink(keys);
      } while (cursor !== "0");
    });

    it("answers", async () => {
      await expect(storage.ping()).resolves.toBeUndefined();
    });

    it("reads in the order of the keys, answers a repeated key each time, and answers undefined for a missing key", async () => {
      await storage.writeMany([record("a", "A"), record("b", "B")]);
      expect(await read("b", "none", "a", "b")).toEqual(["B", undefined, "A", "B"]);
      expect(await read("none")).toEqual([undefined]);
    });

    it("does nothing for an empty batch", async () => {
      expect(await storage.readMany([])).toEqual([]);
      await expect(storage.writeMany([])).resolves.toBeUndefined();
      expect(await storage.removeMany([])).toBe(0);
    });

    it("stores the later one of two records with one key", async () => {
      await storage.writeMany([record("twice", "first"), record("twice", "last")]);
      expect(await read("twice")).toEqual(["last"]);
    });

    it("keeps bytes unchanged: no bytes, all values, and a part of a larger array", async () => {
      const all = Uint8Array.from({ length: 256 }, (_, value) => value);
      const part = new Uint8Array(all.buffer, 100, 50);
      await storage.writeMany([record("empty", new Uint8Array()), record("all", all), record("part", part)]);
      const found = await storage.readMany(["empty", "all", "part"].map(key));
      expect(found.map((bytes) => bytes && Uint8Array.from(bytes))).toEqual([
        new Uint8Array(),
        all,
        Uint8Array.from(part),
      ]);
    });

    it("keeps 16 MiB", async () => {
      const large = Buffer.alloc(16 * 1024 * 1024, "0123456789");
      await storage.writeMany([record("large", large)]);
      const [found] = await storage.readMany([key("large")]);
      expect(large.equals(found ?? Buffer.alloc(0))).toBe(true);
    });

    it.each([
      "%",
      "_",
      "*",
      "?",
      "[a]",
      "{tag}",
      "\"quotes'",
      "back\\slash",
      " ",
      "späße 日本語 🙂",
      "x".repeat(2000 - randomUUID().length - 2),
    ])("stores the key %j unchanged", async (name) => {
      await storage.writeMany([record(name, name)]);
      expect(await read(name, `${name}.`)).toEqual([name, undefined]);
      expect((await observer.getBuffer(key(name)))?.subarray(headerLength).toString()).toBe(name);
      expect(await storage.removeMany([key(name)])).toBe(1);
    });

    it.each([60_000, 1_234_567, tenYears])("keeps a record for %d ms on the server's clock", async (ttl) => {
      await storage.writeMany([record("ttl", "value", ttl)]);
      const left = await observer.pttl(key("ttl"));
      expect(left).toBeLessThanOrEqual(ttl);
      expect(left).toBeGreaterThan(ttl - 10_000);
    });

    it("expires a record of one millisecond", async () => {
      await storage.writeMany([record("short", "value", 1)]);
      while ((await observer.pttl(key("short"))) !== -2);
      expect(await read("short")).toEqual([undefined]);
    });

    it("rounds a ttl down to whole milliseconds, but not to 0", async () => {
      await storage.writeMany([record("part", "value", 60_000.9), record("less", "value", 0.2)]);
      expect(await observer.pttl(key("part"))).toBeLessThanOrEqual(60_000);
      while ((await observer.pttl(key("less"))) !== -2);
    });

    it("keeps a record without ttl, and replaces the ttl with the record", async () => {
      await storage.writeMany([{ ...record("kept", "value"), ttl: undefined }]);
      expect(await observer.pttl(key("kept"))).toBe(-1);
      await storage.writeMany([record("kept", "value", 60_000)]);
      expect(await observer.pttl(key("kept"))).toBeGreaterThan(0);
      await storage.writeMany([record("kept", "value", 120_000)]);
      expect(await observer.pttl(key("kept"))).toBeGreaterThan(60_000);
      await storage.writeMany([record("kept", "value", 30_000)]);
      expect(await observer.pttl(key("kept"))).toBeLessThanOrEqual(30_000);
    });

    it("counts the removed records, each key once", async () => {
      await storage.writeMany([record("one", "1"), record("two", "2")]);
      expect(await storage.removeMany(["one", "one", "none", "two"].map(key))).toBe(2);
      expect(await read("one", "two")).toEqual([undefined, undefined]);
    });

    it("splits a large batch into several commands", async () => {
      const names = Array.from({ length: 12_000 }, (_, index) => `many${index}`);
      await storage.writeMany(names.map((name) => record(name, name)));
      expect(await read(...names)).toEqual(names);
      expect(await storage.removeMany(names.map(key))).toBe(12_000);
    });

    it("treats a value that is not a string as a miss, writes over it and removes it", async () => {
      await observer.rpush(key("list"), "x");
      expect(await read("list")).toEqual([undefined]);
      await storage.writeMany([record("list", "value")]);
      expect(await read("list")).toEqual(["value"]);
    });

    it("settles concurrent calls in their order", async () => {
      const calls = [storage.writeMany([record("seq", "1")]), storage.removeMany([key("seq")]), read("seq")];
      expect(await Promise.all(calls)).toEqual([undefined, 1, [undefined]]);
    });
  });

  it("serves fifty storages at once", async () => {
    const space = randomUUID();
    const storages = Array.from({ length: 50 }, () => redis(service().url, patient));
    await Promise.all(storages.map((storage) => storage.connect()));
    const keys = storages.map((_, index) => `${space}:${index}`);
    await Promise.all(
      storages.map((storage, index) =>
        storage.writeMany([{ key: keys[index]!, bytes: Buffer.from(String(index)), ttl: 60_000 }]),
      ),
    );
    const found = await Promise.all(storages.map((storage) => storage.readMany(keys)));
    const expected = keys.map((_, index) => String(index));
    for (const values of found) expect(values.map(String)).toEqual(expected);
    expect(await storages[0]!.removeMany(keys)).toBe(50);
    await Promise.all(storages.map((storage) => storage.close()));
  });

  it("connects and closes any number of times, and rejects calls after that", async () => {
    const storage = redis(service().url, patient);
    await Promise.all([storage.connect(), storage.connect()]);
    await storage.connect();
    await Promise.all([storage.close(), storage.close()]);
    await storage.close();
    const over = expect.objectContaining({ code: "CACHEME_CLOSED" });
    await expect(storage.readMany(["a"])).rejects.toEqual(over);
    await expect(storage.writeMany([{ key: "a", bytes: Buffer.from("a"), ttl: 1 }])).rejects.toEqual(over);
    await expect(storage.removeMany(["a"])).rejects.toEqual(over);
    await expect(storage.ping()).rejects.toEqual(over);
  });

  it("refuses to connect after it was closed", async () => {
    const storage = redis(service().url, patient);
    await storage.close();
    await expect(storage.connect()).rejects.toMatchObject({ code: "CACHEME_CLOSED" });
  });

  it("answers running calls before it closes", async () => {
    const storage = redis(service().url, patient);
    await storage.connect();
    const call = storage.readMany([randomUUID()]);
    await storage.close();
    expect(await call).toEqual([undefined]);
  });

  it("leaves a client of the program open, with as many listeners as before", async () => {
    const client = given(new Redis(service().url));
    await client.ping();
    const listeners = () => client.eventNames().map((name) => client.listenerCount(name));
    const before = listeners();
    const storage = redis(client, patient);
    await storage.connect();
    await storage.ping();
    await storage.close();
    expect(listeners()).toEqual(before);
    expect(await client.ping()).toBe("PONG");
  });
});
