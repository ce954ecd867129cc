import { inspect } from "node:util";
import type { ServerProxy } from "@cacheme/test-services";
import { until, works } from "@cacheme/test-services/network/cleanup";
import { itKeepsDeadlines } from "@cacheme/test-services/network/failure-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";
import type { RemoteStorage } from "cacheme";
import { Redis } from "ioredis";
import { Redis as Redis6 } from "ioredis-6";
import { afterAll, afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { redis } from "../src/index.js";
import { cleanupWithClients } from "./given-clients.js";

const quick = { commandTimeout: 500, connectTimeout: 1000 } as const;

/**
 * Milliseconds by which a call may miss its deadline on a machine that is busy with other tests.
 */
const slack = 1500;

const bytes = Buffer.from("value");

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
process.on("unhandledRejection", note);
process.on("uncaughtException", note);
process.on("warning", note);
afterAll(() => {
  process.off("unhandledRejection", note);
  process.off("uncaughtException", note);
  process.off("warning", note);
});
afterEach(() => {
  expect(unhandled.splice(0)).toEqual([]);
});

describeWithServer("redis", "the storage during failures", (server) => {
  const { closing, after, given } = cleanupWithClients();
  let proxy: ServerProxy;
  beforeEach(async () => {
    after(() => server().restart());
    proxy = await server().proxy();
    after(() => proxy.close());
  });

  itKeepsDeadlines(server, (times) => redis(server().url, times));

  describe("when it connects", () => {
    it("rejects at once, and says why, if no server listens", async () => {
      const storage = closing(redis(`redis://:secret@127.0.0.1:${server().port}`, quick));
      await server().kill();
      const error: unknown = await storage.connect().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: "StorageError", code: "CACHEME_CONNECT_FAILED" });
      expect(error).toHaveProperty(
        "message",
        expect.stringContaining(`redis://127.0.0.1:${server().port} cannot be reached`),
      );
      expect(error).toHaveProperty("cause.code", "ECONNREFUSED");
      expect(inspect(error, { depth: 9 })).not.toContain("secret");
    });

    it("rejects within its time if the server does not answer", async () => {
      const storage = closing(redis(server().url, quick));
      await server().pause();
      const started = performance.now();
      await expect(storage.connect()).rejects.toMatchObject({ code: "CACHEME_CONNECT_FAILED" });
      expect(performance.now() - started).toBeLessThan(quick.connectTimeout + slack);
    });

    it("can be tried again after it failed", async () => {
      const storage = closing(redis(server().url, quick));
      await server().kill();
      await expect(storage.connect()).rejects.toMatchObject({ code: "CACHEME_CONNECT_FAILED" });
      await server().restart();
      await storage.connect();
      await storage.ping();
    });

    it("does not wait if it is lazy, and works as soon as the server runs", async () => {
      const storage = closing(redis(server().url, { ...quick, connect: "lazy" }));
      await server().kill();
      await storage.connect();
      await expect(storage.readMany(["a"])).rejects.toMatchObject({ code: "CACHEME_CONNECT_FAILED" });
      await server().restart();
      await until(() => works(storage.ping()));
    });

    it("connects for the first call if it is lazy", async () => {
      const storage = closing(redis(server().url, { connect: "lazy" }));
      await storage.connect();
      expect(await storage.readMany(["none"])).toEqual([undefined]);
    });

    it("shows the server's error if it refuses the password, and hides the password", async () => {
      await configure("requirepass", "right");
      const storage = closing(redis(`redis://:wrong-secret@127.0.0.1:${server().port}`, quick));
      const error: unknown = await storage.connect().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "CACHEME_CONNECT_REFUSED" });
      expect(error).toHaveProperty(
        "message",
        expect.stringMatching(
          /was reached, but cannot be used: .*(WRONGPASS|invalid password).*Check the name and the password/,
        ),
      );
      expect(inspect(error, { depth: 9 })).not.toContain("wrong-secret");
    });

    it("rejects if the database does not exist, and never uses another one", async () => {
      const storage = closing(redis(`${server().url}/99`, quick));
      await expect(storage.connect()).rejects.toThrow("DB index is out of range");
      await expect(storage.ping()).rejects.toMatchObject({ code: "CACHEME_CONNECT_REFUSED" });
    });
  });

  describe.each([
    ["of its own", () => closing(redis(proxy.url, quick))],
    [
      "of ioredis 5",
      () => closing(redis(given(new Redis(proxy.url, { socketTimeout: 600, connectTimeout: 1000 })), quick)),
    ],
    [
      "of ioredis 6",
      () => closing(redis(given(new Redis6(proxy.url, { socketTimeout: 600, connectTimeout: 1000 })), quick)),
    ],
  ])("under load, with a client %s,", (_, make) => {
    it.each<[string, () => Promise<void> | void, () => Promise<void>]>([
      ["the server is killed and started again", () => server().kill(), () => server().restart()],
      ["the server stops and continues", () => server().pause(), () => server().resume()],
      ["the network is partitioned and heals", () => proxy.partition(), () => proxy.heal()],
      ["connections are cut and refused", () => proxy.refuse(), () => proxy.heal()],
      ["connections are cut", () => proxy.cut(), async () => {}],
    ])("every call settles in its time, and the storage works again, when %s", async (_, harm, mend) => {
      const storage = make();
      await storage.connect();
      const load = new Load(storage);
      await until(() => load.succeeded > 50);
      await harm();
      await new Promise((resolve) => setTimeout(resolve, 1.6 * quick.commandTimeout));
      await mend();
      await until(() => works(storage.ping()));
      const before = load.succeeded;
      await until(() => load.succeeded > before + 50);
      await load.end();
      expect(load.longest).toBeLessThan(quick.commandTimeout + slack);
      for (const error of load.errors)
        expect(error).toHaveProperty("code", expect.stringMatching(/^CACHEME_(STORAGE|CONNECT)_FAILED$/));
    });
  });

  it("waits for the new connection if the old one was lost between two calls", async () => {
    const storage = closing(redis(proxy.url));
    await storage.connect();
    const connections = proxy.counts.connections;
    proxy.cut();
    await until(() => proxy.counts.connections > connections);
    await storage.ping();
  });

  it("never sends a failed write again", async () => {
    const storage = closing(redis(proxy.url, quick));
    await storage.connect();
    proxy.partition();
    await expect(storage.writeMany([{ key: "late", bytes, ttl: 60_000 }])).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
    });
    await proxy.heal();
    await until(() => works(storage.ping()));
    expect(await storage.readMany(["late"])).toEqual([undefined]);
  });

  it("names the refused records, and stores the others", async () => {
    const observer = given(new Redis(server().url));
    await observer.acl("SETUSER", "narrow", "on", ">secret", "+@all", "~mine:*");
    const storage = closing(redis(`redis://narrow:secret@127.0.0.1:${server().port}`));
    await storage.connect();
    const records = ["mine:1", "theirs", "mine:2"].map((key) => ({ key, bytes, ttl: 60_000 }));
    const error: unknown = await storage.writeMany(records).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "CACHEME_STORAGE_FAILED", name: "BatchError" });
    expect(error).toHaveProperty("keys", new Set(["theirs"]));
    expect(error).toHaveProperty(
      "message",
      expect.stringContaining('a write failed for 1 of 3 keys: "theirs". The first key\'s error: NOPERM'),
    );
    expect(error).toHaveProperty("message", expect.stringContaining("NOPERM"));
    expect(error).toHaveProperty("cause.command", { name: "set" });
    expect((await storage.readMany(["mine:1", "mine:2"])).map(String)).toEqual(["value", "value"]);
    await expect(storage.readMany(["theirs"])).rejects.toThrow("Allow the user these commands and keys");
  });

  it("reports a server that is full", async () => {
    const storage = closing(redis(server().url));
    await storage.connect();
    await configure("maxmemory", "1");
    const records = Array.from({ length: 7 }, (_, index) => ({ key: `full:${index}`, bytes, ttl: 60_000 }));
    await expect(storage.writeMany(records)).rejects.toThrow(
      /7 of 7 keys: .* and 2 more.* OOM.*Raise maxmemory/,
    );
  });

  it.each([1, 20, 1000])("makes one round trip for a batch of %d", async (size) => {
    const storage = closing(redis(proxy.url));
    await storage.connect();
    const records = Array.from({ length: size }, (_, index) => ({
      key: `trip:${index}`,
      bytes,
      ttl: 60_000,
    }));
    const keys = records.map(({ key }) => key);
    const roundTrips = async (act: () => Promise<unknown>) => {
      proxy.latency(10);
      proxy.resetCounts();
      await act();
      return proxy.counts.roundTrips;
    };
    expect(await roundTrips(() => storage.writeMany(records))).toBe(1);
    expect(await roundTrips(() => storage.readMany(keys))).toBe(1);
    expect(await roundTrips(() => storage.removeMany(keys))).toBe(1);
  });

  it("has as many listeners as before after 10,000 calls and ten lost connections", async () => {
    const connect = vi.spyOn(Redis.prototype, "connect");
    onTestFinished(() => connect.mockRestore());
    const storage = closing(redis(proxy.url));
    await storage.connect();
    const [own] = connect.mock.contexts as [Redis];
    const listeners = () =>
      [own, own.stream].map((one) => one?.eventNames().map((name) => [name, one.listenerCount(name)]));
    const before = listeners();
    for (let round = 0; round < 10; round++) {
      for (let call = 0; call < 100; call++) {
        await Promise.all(Array.from({ length: 10 }, (_, index) => storage.readMany([`${index}`])));
      }
      proxy.cut();
      await until(() => works(storage.ping()));
    }
    expect(listeners()).toEqual(before);
  });

  it("uses a client again after the program closed and opened it", async () => {
    const client = given(new Redis(server().url));
    const storage = closing(redis(client, quick));
    await storage.connect();
    client.disconnect();
    await until(() => client.status === "end");
    await expect(storage.ping()).rejects.toThrow("its client was closed by the program");
    await client.connect();
    await storage.ping();
  });

  it("opens a client that the program has not opened yet", async () => {
    const storage = closing(redis(given(new Redis(server().url, { lazyConnect: true }))));
    await storage.connect();
    await storage.ping();
  });

  it("closes in its time while the server hangs", async () => {
    const storage = redis(server().url, quick);
    await storage.connect();
    await server().pause();
    const call = expect(storage.ping()).rejects.toMatchObject({ code: "CACHEME_STORAGE_FAILED" });
    const started = performance.now();
    await storage.close();
    expect(performance.now() - started).toBeLessThan(quick.commandTimeout + slack);
    await call;
  });

  async function configure(name: string, value: string): Promise<void> {
    const client = new Redis(server().url);
    await client.config("SET", name, value);
    client.disconnect();
  }
});

/** Readers and writers that call a storage without a pause, and note each result. */
class Load {
  succeeded = 0;
  /** Milliseconds of the slowest call. */
  longest = 0;
  readonly errors = new Set<unknown>();
  readonly #storage: RemoteStorage;
  readonly #workers: Promise<void>[];
  #isOver = false;

  constructor(storage: RemoteStorage) {
    this.#storage = storage;
    this.#workers = Array.from({ length: 20 }, (_, index) => this.#work(index));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#workers);
  }

  async #work(index: number): Promise<void> {
    const keys = [`load:${index}`, `load:${index + 1}`];
    const calls = [
      () => this.#storage.readMany(keys),
      () => this.#storage.writeMany(keys.map((key) => ({ key, bytes, ttl: 60_000 }))),
      () => this.#storage.removeMany(keys),
    ];
    for (let call = index; !this.#isOver; call++) {
      const started = performance.now();
      try {
        await calls[call % 3]?.();
        this.succeeded++;
      } catch (error) {
        this.errors.add(error);
      }
      this.longest = Math.max(this.longest, performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}
