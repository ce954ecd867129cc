import { randomUUID } from "node:crypto";
import { type RedisSentinel, startRedisSentinel } from "@cacheme/test-services";
import { joined } from "@cacheme/test-services/bus/receiver";
import { until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { Cacheme, defineNode, memory, type RemoteStorage } from "cacheme";
import { Redis } from "ioredis";
import { Redis as Redis56 } from "ioredis-5.6";
import { Redis as Redis6 } from "ioredis-6";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redis, redisBus } from "../../src/index.js";
import { cleanupWithClients } from "../given-clients.js";
import { asked } from "../several-servers.js";

const quick = { commandTimeout: 500, connectTimeout: 1000 } as const;
const bytes = Buffer.from("value");

const { given, closing, after } = cleanupWithClients();

describeWithServer("redis", 'redisBus({ mode: "tracking" })', (server) => {
  /** A storage, the reports about it, and another program on its server. */
  async function tracked(target: Parameters<typeof redis>[0] = server().url) {
    const storage = closing(redis(target, quick));
    await storage.connect();
    const prefix = randomUUID();
    const bus = redisBus(storage, { mode: "tracking", channel: randomUUID(), ...quick });
    const { recorder, connection } = await joined(bus, prefix);
    closing(connection);
    const other = given(new Redis(server().port));
    const key = (name: string) => `${prefix}:user:${name}:1`;
    let marks = 0;
    /** Waits until the reports of everything that was done before have been handled. */
    const reported = async () => {
      const mark = key(`mark ${++marks}`);
      await storage.writeMany([{ key: mark, bytes, ttl: 60_000 }]);
      await other.set(mark, "another program's");
      await until(() => recorder.changes.includes(mark));
      return recorder.changes.filter((one) => !one.includes(":mark ") || one === "all");
    };
    return { storage, recorder, connection, other, key, reported, prefix };
  }

  it("reports each change of a key by another program", async () => {
    const { other, key, reported } = await tracked();
    await other.set(key("a"), "x");
    await other.mset(key("b"), "x", key("c"), "x");
    await other.del(key("a"));
    await other.expire(key("b"), 100);
    await other.persist(key("b"));
    await other.get(key("b"));
    await other.set("elsewhere:user:a:1", "x");
    expect(await reported()).toEqual([key("a"), key("b"), key("c"), key("a"), key("b"), key("b")]);
  });

  it("reports keys that expire or are evicted", async () => {
    const { other, key, recorder } = await tracked();
    await other.set(key("a"), "x", "PX", 20);
    await until(() => recorder.changes.filter((one) => one === key("a")).length === 2);
    await other.set(key("big"), "x".repeat(100_000));
    after(() => asked(server().port, "config", "set", "maxmemory", 0));
    await other.config("SET", "maxmemory-policy", "allkeys-lru");
    await other.config("SET", "maxmemory", "1");
    await until(() => recorder.changes.filter((one) => one === key("big")).length === 2);
  });

  it("reports that every key may have changed", async () => {
    const { other, recorder } = await tracked();
    await other.select(5);
    await other.flushdb();
    await until(() => recorder.changes.includes("all"));
  });

  it("does not report what its own storage writes, by commands or by scripts", async () => {
    const { storage, key, reported, recorder } = await tracked();
    const { leases, generations } = storage;
    const [a, b, c, d, tag] = [key("a"), key("b"), key("c"), key("d"), key("tag")];
    await storage.writeMany([{ key: a, bytes, ttl: 60_000 }]);
    await storage.writeMany([{ key: c, bytes, ttl: undefined, freshFor: 60_000 }]);
    const [granted] = (await leases?.acquire([{ key: b, duration: 10_000, steal: false }])) ?? [];
    if (granted?.outcome !== "granted") throw new Error("The lease was not granted.");
    await leases?.extend?.([{ key: b, token: granted.token, duration: 20_000 }]);
    await leases?.fill([{ key: b, token: granted.token, bytes, ttl: 60_000 }]);
    await storage.writeMany([{ key: d, bytes, ttl: 60_000 }]);
    await storage.removeMany([d]);
    await generations?.ensure([tag], 60_000);
    await generations?.bump([tag], 60_000);
    recorder.changes.length = 0; // Without the marks, an earlier report would be seen below.
    expect(await reported()).toEqual([]);
  });

  it("reports what another program makes of its own storage's write", async () => {
    const { storage, other, key, reported } = await tracked();
    const [a, b, c] = [key("a"), key("b"), key("c")];
    await storage.writeMany([
      { key: a, bytes, ttl: 60_000 },
      { key: b, bytes, ttl: 60_000 },
    ]);
    await other.del(a);
    await other.set(b, "x");
    await storage.removeMany([c]);
    await other.set(c, "x");
    expect([...(await reported())].sort()).toEqual([a, b, c]);
  });

  it("reports what another storage of the same kind writes", async () => {
    const { storage, key, reported } = await tracked();
    const another = closing(redis(server().url, quick));
    await storage.writeMany([{ key: key("a"), bytes, ttl: 60_000 }]);
    await another.writeMany([{ key: key("a"), bytes: Buffer.from("newer"), ttl: 60_000 }]);
    expect(await reported()).toContain(key("a"));
  });

  it.each<[string, (port: number) => Parameters<typeof redis>[0]]>([
    ["a client of ioredis 5", (port) => given(new Redis(port, { keyPrefix: "shop:" }))],
    ["a client of ioredis 5.6", (port) => given(new Redis56(port, { keyPrefix: "shop:" }))],
    ["a client of ioredis 6", (port) => given(new Redis6(port, { keyPrefix: "shop:" }))],
    ["options with a prefix", (port) => ({ port, keyPrefix: "shop:" })],
  ])("finds the keys of a storage over %s", async (_, target) => {
    const { storage, other, key, recorder } = await tracked(target(server().port));
    await storage.writeMany([
      { key: key("a"), bytes, ttl: 60_000 },
      { key: key("b"), bytes, ttl: 60_000 },
    ]);
    await other.del(`shop:${key("b")}`);
    await until(() => recorder.changes.length > 0);
    expect(recorder.changes).toEqual([key("b")]);
  });

  it.each(["pubsub", "normal"])(
    "turns the reports on again after a connection was lost: %s",
    async (type) => {
      const { other, key, recorder, reported } = await tracked();
      const own = given(new Redis(server().port));
      const id = await own.client("ID");
      const ids = (await asked(server().port, "client", "list", "type", type))
        .split("\n")
        .map((line) => /^id=(\d+)/.exec(line)?.[1])
        .filter((one) => one !== undefined && Number(one) !== id);
      for (const one of ids) await asked(server().port, "client", "kill", "id", one!);
      await until(() => recorder.count("subscribed") > 1 && recorder.count("lost") > 0);
      await until(async () => (await other.ping()) === "PONG");
      await other.set(key("a"), "x");
      expect(await reported()).toEqual([key("a")]);
    },
  );

  it("drops the local entry of a key that redis-cli removes, and keeps what its own loads store", async () => {
    const cacheme = closing(new Cacheme({ prefix: randomUUID() }));
    const storage = redis(server().url, quick);
    await cacheme.registerStorage("local", memory());
    await cacheme.registerStorage("redis", storage);
    const bus = redisBus(storage, { mode: "tracking", channel: randomUUID(), ...quick });
    await cacheme.registerBus(bus);
    let value = "old";
    const userNode = defineNode({
      name: "user",
      caches: [{ storage: "local" }, { storage: "redis", ttl: "1m" }],
      key: (id: number) => `${id}`,
      load: () => value,
    });
    const other = given(new Redis(server().port));
    const removeIn = async (id: number) => {
      const [key = ""] = await other.keys(`*:user:${id}:1`);
      await other.del(key);
      await until(() => cacheme.peekLocal(userNode(id)) === undefined);
    };
    await cacheme.get(userNode(1));
    await cacheme.get(userNode(2));
    await removeIn(2);
    expect(cacheme.peekLocal(userNode(1))?.value).toBe("old");
    value = "new";
    await removeIn(1);
    expect(await cacheme.get(userNode(1))).toBe("new");
  });

  describe("behind sentinels", () => {
    let group: RedisSentinel;
    beforeAll(async () => {
      group = await startRedisSentinel();
    });
    afterAll(() => group?.stop());

    it("asks the new master for reports", { timeout: 20_000 }, async () => {
      const storage: RemoteStorage = closing(redis(group.url, quick));
      const prefix = randomUUID();
      const { recorder, connection } = await joined(
        redisBus(storage, { mode: "tracking", ...quick }),
        prefix,
      );
      closing(connection);
      await group.master.kill();
      await until(() => recorder.count("subscribed") > 1);
      const [, port] = (
        await asked(group.sentinels[0]!.port, "sentinel", "get-master-addr-by-name", "mymaster")
      ).split(",");
      await asked(Number(port), "set", `${prefix}:user:a:1`, "x");
      await until(() => recorder.changes.includes(`${prefix}:user:a:1`));
    });
  });
});
